-- Steps are looked up by their job, by its page and by the writer; the primary key of two columns serves neither.
CREATE INDEX steps_of_job ON steps (job_id);
