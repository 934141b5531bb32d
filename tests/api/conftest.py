from tests.library.conftest import engine, engine_down

__all__ = ["engine", "engine_down"]
