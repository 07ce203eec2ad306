-- Each index costs every webhook some of its time: only those that a query uses, in the order in which it asks.
DROP INDEX workflow_runs_created;
DROP INDEX workflow_runs_pipeline;
DROP INDEX workflow_runs_created_at;
DROP INDEX workflow_runs_status;
DROP INDEX workflow_runs_finished;
CREATE INDEX workflow_runs_status ON workflow_runs (pipeline_id, status, finished_at DESC NULLS LAST, id DESC NULLS LAST) WHERE is_latest;
CREATE INDEX workflow_runs_finished ON workflow_runs (pipeline_id, finished_at DESC NULLS LAST, id DESC NULLS LAST) WHERE is_latest;
CREATE INDEX workflow_runs_branches ON workflow_runs (created_at, branch);
