#!lua flags=no-writes
-- Ask the server that owns the store's own key about itself.
--
-- KEYS[1] any key of the store, only to find the server on a cluster
-- Returns {the text of INFO, {seconds, microseconds} of its clock}

return {redis.call('INFO'), redis.call('TIME')}
