"""Years of interactions: an archive that grows, in open tables that other engines read too."""

from optimove_analysis.archive.archive import Archive
from optimove_analysis.archive.info import ArchiveInfo
from optimove_analysis.archive.update import Update

__all__ = ["Archive", "ArchiveInfo", "Update"]
