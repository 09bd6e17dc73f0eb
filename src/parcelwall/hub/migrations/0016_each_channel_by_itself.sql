-- Each channel hands its own notices over, oldest first: one whose server hangs is not looked through by the others.
CREATE INDEX notice_waiting_by_channel ON notice (channel, next_try) WHERE state = 'waiting';
DROP INDEX notice_waiting;
