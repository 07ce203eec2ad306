"""Asking CI systems instead of waiting for their webhooks.

A provider takes part by having, beside `webhook`, a module `poll` with

    source(settings) -> Source | None        # None: nothing is configured to be polled

`ingest.polling.source.Source` is the interface: which repositories there are (`targets`), what happened lately
(`newest`, asked every POLL_INTERVAL_SECONDS, so it must be cheap), and, where the CI system needs it, a slower look
back (`recheck`), the history (`backfill`, a piece at a time) and what belongs to each run (`details`, a piece at a
time). Only `targets` and `newest` must be written. A source hands `core.model.Changes` to the `Book` of its repository
and keeps its notes there; the engine owns the schedule, the error sentences, the rate-limit samples and the order of
work.
`ingest.polling.http.Api` is a client with retries, backoff, ETags and budgets that any JSON API can use.

`Source.read_log` adds the logs of jobs: those that failed on default branches are fetched at once, where the source
notes the `repository_id` of its pipelines in the book (`ingest.polling.logs`), the others on demand (`ingest.joblogs`).
"""
