-- Why the message about an open alert waits: 'silenced', 'repeated' within minutes, 'flapping'. NULL: it doesn't.
ALTER TABLE alerts ADD COLUMN held VARCHAR;

-- Messages of one repository go out as one. For 'sending', next_attempt_at is until when the sender has the message.
ALTER TABLE notifications ADD COLUMN repository VARCHAR;

-- A window that repeats does so by the clock of this time zone (IANA). NULL: UTC.
ALTER TABLE silences ADD COLUMN zone VARCHAR;
