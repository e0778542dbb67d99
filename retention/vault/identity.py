"""An object store says which store it belongs to, so that a wrong bucket is noticed before a night."""

from retention.kernel.errors import CatalogueDisagrees, NotFound
from retention.vault.model import ObjectExists, ObjectName, ObjectStore

NAME = ObjectName("store-identity")


def store_id_in(store: ObjectStore) -> str | None:
    """Which store the objects belong to; None when they do not say."""
    try:
        return b"".join(store.read(NAME)).decode()
    except NotFound:
        return None


def claim(store: ObjectStore, store_id: str) -> None:
    """Mark the object store as this store's.

    Raises:
        CatalogueDisagrees: It belongs to another.
    """
    try:
        store.put_new(NAME, [store_id.encode()])
    except ObjectExists:
        found = store_id_in(store)
        if found != store_id:
            raise CatalogueDisagrees(
                f"the object store belongs to store {found}, not to {store_id}",
                hint="Choose another folder, bucket or prefix.",
            ) from None
