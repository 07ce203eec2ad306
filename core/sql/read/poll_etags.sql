-- The ETags of one repository's lists. $provider, $repository: text.
SELECT url, etag
FROM poll_etags
WHERE provider = $provider AND repository = $repository
