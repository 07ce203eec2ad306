-- The design's indexes, made after the rows.
CREATE INDEX idx_pipelines_repository ON pipelines (repository);
CREATE INDEX idx_workflow_runs_pipeline ON workflow_runs (pipeline_id);
CREATE INDEX idx_workflow_runs_status ON workflow_runs (status);
CREATE INDEX idx_workflow_runs_created ON workflow_runs (created_at);
CREATE INDEX idx_alerts_pipeline ON alerts (pipeline_id);
CREATE INDEX idx_alerts_active ON alerts (is_active, severity);
