"""What pages read beyond the overview: one module for each area, built on `dashboard.data`."""
