import pytest


@pytest.fixture(autouse=True)
def cabinet(settings, tmp_path):
    """Keep the files of a test in a folder of its own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT
