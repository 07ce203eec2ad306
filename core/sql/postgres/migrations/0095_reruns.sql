-- Which runs were started again: of an archived attempt it is asked whether a later one is here.
CREATE INDEX workflow_runs_reruns ON workflow_runs (run_key) WHERE run_attempt > 1;
