"""The life of one delivery, as data. Pure."""

from enum import StrEnum


class Delivery(StrEnum):
    """What became of a delivery."""

    PREPARED = "prepared"  #: an encrypted archive was made, and waits to be handed over
    WAITING = "waiting"  #: a link is live, and nobody has downloaded yet
    HANDED_OVER = "handed-over"
    DOWNLOADED = "downloaded"
    DIED = "died"  #: too many wrong passphrases: tell the person
    INTERRUPTED = "interrupted"  #: the download began and never came to its end: tell the person
    EXPIRED = "expired"  #: nobody downloaded in time: tell the person
    WITHDRAWN = "withdrawn"  #: another delivery took its place


#: It may still arrive.
PENDING = frozenset({Delivery.PREPARED, Delivery.WAITING})
#: Nobody has the answer yet, and somebody must call.
FAILED = frozenset({Delivery.DIED, Delivery.INTERRUPTED, Delivery.EXPIRED})
#: Routes that the service itself makes; every other is a person's word.
ARCHIVE, LINK = "archive", "link"
