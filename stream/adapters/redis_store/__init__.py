"""The store on Redis 7+, Valkey 8+ or a cluster of either."""

from stream.adapters.redis_store.store import RedisStore

__all__ = ["RedisStore"]
