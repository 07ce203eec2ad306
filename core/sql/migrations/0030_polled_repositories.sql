-- A repository that is no longer named by the settings keeps its row, so that its history isn't read anew when it comes back.
ALTER TABLE poll_state ADD COLUMN is_polled BOOLEAN DEFAULT TRUE;
