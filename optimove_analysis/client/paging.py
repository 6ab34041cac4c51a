"""A list that may come in pages: what to ask next, and when all of it has come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Generic, TypeVar

from optimove_analysis.errors import ApiError, InputError

__all__ = ["Pages"]

_FAR: Final = 2_000_000_000
"""Further than any list goes, and still a number of 32 bits."""
_BAD_REQUEST: Final = 400

Page = TypeVar("Page")


class Pages(Generic[Page]):
    """The pages of one list.

    Whether the API pages, and by how many rows, is not documented; a short page may be all that
    the API gives at once. So pages are asked for until one is empty. The first page coming again
    means that the API passes over ``$skip`` and gave all at once, which is certain where no row
    can occur twice; where one can, one more question, far beyond the end, tells.

    >>> pages = Pages({"CampaignID": "7"}, page_size=2)
    >>> pages.next
    {'CampaignID': '7', '$top': '2'}
    >>> pages.add("first", rows=2, content="a, b"), pages.next
    (['first'], {'CampaignID': '7', '$top': '2', '$skip': '2'})
    >>> pages.add("second", rows=0, content=""), pages.next
    ([], None)

    Args:
        asked: the parameters that say which list.
        page_size: rows a page; None leaves it to the API.
        repeats: whether a row can occur twice in the list.

    Raises:
        InputError: a page that holds nothing.
    """

    def __init__(
        self, asked: Mapping[str, str], page_size: int | None = None, *, repeats: bool = False
    ) -> None:
        if page_size is not None and page_size < 1:
            raise InputError(f"page_size={page_size!r}: a page must hold at least one customer.")
        top = {} if page_size is None else {"$top": str(page_size)}
        self._asked: dict[str, str] = {**asked, **top}
        self.next: dict[str, str] | None = self._asked
        """The parameters of the page to ask for; None: all of the list has come."""
        self._page_size, self._repeats = page_size, repeats
        self._first: object = None
        self._rows = self._accepted = 0
        self._doubtful: tuple[Page, int] | None = None

    def add(self, page: Page, *, rows: int, content: object) -> list[Page]:
        """Take the page that was asked for; return those that now are known to be the list's.

        Args:
            page: what to return; the first is returned in any case, so that there is one.
            rows: how many it has.
            content: equal for equal pages.

        Raises:
            ApiError: the API passes over ``$skip``, and its one page is as full as was asked for:
                there may be more that cannot be asked for.
        """
        if self._doubtful is not None:
            doubtful, self._doubtful = self._doubtful, None
            # Nothing is that far on: $skip is heeded, and only the rows were like the first ones.
            return self._all_at_once() if rows else self._accept(*doubtful)
        if not self._rows:
            self._first = content
            return self._accept(page, rows)
        if not rows:
            self.next = None
            return []
        if content != self._first:
            return self._accept(page, rows)
        if not self._repeats:
            return self._all_at_once()
        self._doubtful = page, rows
        self.next = {**self._asked, "$skip": str(_FAR)}
        return []

    def ends_with(self, error: ApiError) -> bool:
        """Tell whether a refusal of the page to ask for means no more than that all has come."""
        no_skip = error.status == _BAD_REQUEST and self._accepted == 1 and self._doubtful is None
        return no_skip and self._rows != self._page_size

    def refused(self, error: ApiError) -> list[Page]:
        """Take the refusal of the page that was asked for; return pages as `add` does.

        Raises:
            ApiError: the refusal, where it is none of ``$skip``; else as `add` does.
        """
        if self.next is None or "$skip" not in self.next or error.status != _BAD_REQUEST:
            raise error
        if self._doubtful is not None:  # too far is not what it says of a $skip that it passes over
            doubtful, self._doubtful = self._doubtful, None
            return self._accept(*doubtful)
        if self._accepted > 1:  # it knows $skip
            raise error
        return self._all_at_once()

    def _accept(self, page: Page, rows: int) -> list[Page]:
        self._rows += rows
        self._accepted += 1
        self.next = {**self._asked, "$skip": str(self._rows)} if rows else None
        return [page]

    def _all_at_once(self) -> list[Page]:
        self.next = None
        if self._rows == self._page_size:
            raise ApiError(
                f"the API gave the {self._rows} rows a page that it was asked for, and no page "
                f"after that: of what was asked with {self._asked} more may be there. Give a "
                "larger page_size, or none."
            )
        return []
