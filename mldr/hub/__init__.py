"""A dataset to the Hugging Face Hub and back: `push` sends what may be sent, `pull` brings it and checks every hash."""

from mldr.hub.client import Hub
from mldr.hub.pulling import Pulled, pull
from mldr.hub.pushing import Pushed, Wanted, push

__all__ = ["Hub", "Pulled", "Pushed", "Wanted", "pull", "push"]
