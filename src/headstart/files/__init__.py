"""Files: written whole, sealed, locked, and found where data lie."""

from headstart.files.digests import digest, joint_digest
from headstart.files.locations import DATA, located
from headstart.files.seals import (
    DELETE_IT,
    SEAL,
    UNSEALED,
    damage_explained,
    delete_folder_of,
    read_record,
    read_record_and_seal,
    seal_of,
    sealed,
    verify,
    write_record,
)
from headstart.files.writing import PARTIAL, explained, sweep, whose_half, write

__all__ = [
    "DATA",
    "DELETE_IT",
    "PARTIAL",
    "SEAL",
    "UNSEALED",
    "damage_explained",
    "delete_folder_of",
    "digest",
    "explained",
    "joint_digest",
    "located",
    "read_record",
    "read_record_and_seal",
    "seal_of",
    "sealed",
    "sweep",
    "verify",
    "whose_half",
    "write",
    "write_record",
]
