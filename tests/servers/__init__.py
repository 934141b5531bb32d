"""Real servers for tests and development, each a child of the calling process: never imported by the product."""

from .elastic import ElasticCluster, Elasticsearch
from .nginx import Nginx
from .ports import free_port
from .postgres import Postgres
from .process import Server, ServerError, StartFailed, Unavailable
from .redis import Redis

__all__ = [
    "ElasticCluster",
    "Elasticsearch",
    "Nginx",
    "Postgres",
    "Redis",
    "Server",
    "ServerError",
    "StartFailed",
    "Unavailable",
    "free_port",
]
