-- Each index costs every webhook some of its time: only those that a query uses, in the order in which it asks.
DROP INDEX workflow_runs_created;
DROP INDEX workflow_runs_pipeline;
DROP INDEX workflow_runs_created_at;
DROP INDEX workflow_runs_activity;
DROP INDEX workflow_runs_status;
DROP INDEX workflow_runs_finished;
CREATE INDEX workflow_runs_status ON workflow_runs (pipeline_id, status, finished_at DESC NULLS LAST, id DESC NULLS LAST) WHERE is_latest;
CREATE INDEX workflow_runs_finished ON workflow_runs (pipeline_id, finished_at DESC NULLS LAST, id DESC NULLS LAST) WHERE is_latest;
CREATE INDEX workflow_runs_branches ON workflow_runs (created_at, branch);
-- What the overview asks of the runs of a window is answered from this one alone.
CREATE INDEX workflow_runs_activity ON workflow_runs (last_activity_at)
    INCLUDE (pipeline_id, status, branch, is_fork, created_at, begun_at, finished_at, duration_seconds) WHERE is_latest;
