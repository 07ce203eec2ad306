"""What pages are made of: filters, tiles, charts, tables, panels, notices."""
