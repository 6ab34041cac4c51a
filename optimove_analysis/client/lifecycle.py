"""How a client begins and ends: of an account, of the sandbox, of a snapshot."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import polars as pl

from optimove_analysis.client import endpoints
from optimove_analysis.client.cache import Cache
from optimove_analysis.client.pseudonyms import Key
from optimove_analysis.client.quota import Quota, ledger_of
from optimove_analysis.client.replay import Replayed, open_snapshot
from optimove_analysis.client.responses import ResponseFormat
from optimove_analysis.client.sandbox_process import SandboxProcess
from optimove_analysis.client.session import Session
from optimove_analysis.client.settings import QUOTA, Limits, Settings, hidden, read_environment
from optimove_analysis.client.snapshot import Snapshot, write_snapshot
from optimove_analysis.errors import InputError

__all__ = ["Lifecycle"]


class Lifecycle:
    """What `OptimoveClient` is without its endpoints."""

    def __init__(
        self,
        instance: str,
        api_key: str | None = None,
        *,
        token: str | Callable[[], str] | None = None,
        account: str | None = None,
        cache_dir: str | Path | None = None,
        quota: Limits = QUOTA,
        timeout: float = 30.0,
        threads: int = 16,
        engagement_metrics_path: str = endpoints.ENGAGEMENT_METRICS_PATH,
        formats: Sequence[ResponseFormat] = (),
        settle_after: timedelta = endpoints.SETTLE_AFTER,
        max_age: timedelta = endpoints.MAX_AGE,
        offline: bool = False,
    ) -> None:
        self._stop_sandbox: Any = None  # weakref.finalize; its type is not for use at run time
        self._replayed: Replayed | None = None
        if str(instance).strip().lower() == "sandbox":
            process = SandboxProcess()
            self._own(process)
            instance, api_key, token = process.url, process.api_key, None
        secrets = {"api_key": hidden(api_key), "token": hidden(token)}
        del api_key, token  # tracebacks show what the variables of a call hold
        try:
            self.settings = Settings.of(
                instance,
                **secrets,
                account=account,
                cache_dir=cache_dir,
                quota=quota,
                timeout=timeout,
                threads=threads,
                engagement_metrics_path=engagement_metrics_path,
                settle_after=settle_after,
                max_age=max_age,
                offline=offline,
            )
        except BaseException:
            if self._stop_sandbox is not None:
                self._stop_sandbox()
            raise
        quota_of_key = Quota(
            self.settings.quota, ledger=ledger_of(self.settings.state_dir, self.settings.quota_name)
        )
        cache = Cache(self.settings.cache_dir / self.settings.cache_name)
        self._set_up(quota_of_key, cache, formats)

    def _set_up(
        self,
        quota: Quota,
        cache: Cache,
        formats: Sequence[ResponseFormat],
        replayed: Replayed | None = None,
    ) -> None:
        self.quota = quota
        """What may be sent; it knows how long a number of requests will take."""
        self.cache = cache
        """The answers on disk."""
        self._session = Session(self.settings, quota, cache)
        self._formats = tuple(formats)
        self._replayed = replayed

    @classmethod
    def from_env(
        cls,
        instance: str | None = None,
        api_key: str | None = None,
        **options: Any,  # noqa: ANN401 - arguments of __init__, checked there
    ) -> Self:
        """Make a client of ``OPTIMOVE_INSTANCE``, ``OPTIMOVE_API_KEY`` and ``OPTIMOVE_CACHE``.

        Arguments win over the environment, and the environment over a ``.env`` file in the
        working folder. ``options`` are the other arguments of `OptimoveClient`.
        """
        instance = instance or read_environment().get("OPTIMOVE_INSTANCE")
        if not instance:
            raise InputError(
                "no instance is set: set OPTIMOVE_INSTANCE, as api5, in the environment or in a "
                ".env file in the working folder; 'sandbox' starts this package's own."
            )
        given = {"api_key": hidden(api_key or None), **options}
        del api_key  # tracebacks show what the variables of a call hold
        return cls(instance, **given)  # the environment's key is found there

    @classmethod
    def sandbox(
        cls,
        *,
        seed: int | None = None,
        customers: int | None = None,
        engagement_metrics: bool = False,
        **options: Any,  # noqa: ANN401 - arguments of __init__, checked there
    ) -> Self:
        """Start this package's sandbox and make a client of it; closing the client ends it.

        Args:
            seed: of the invented world.
            customers: how many it has.
            engagement_metrics: the account's flag for the newer response format.
            options: other arguments of `OptimoveClient`.
        """
        process = SandboxProcess(
            seed=seed, customers=customers, engagement_metrics=engagement_metrics
        )
        try:
            client = cls(process.url, process.api_key, **options)
        except BaseException:
            process.stop()
            raise
        client._own(process)
        return client

    @classmethod
    def replay(
        cls,
        path: str | os.PathLike[str],
        *,
        pseudonym_key: Key | None = None,
        formats: Sequence[ResponseFormat] | None = None,
    ) -> Self:
        """Make a client that answers from a snapshot: with no network, no credential, for ever.

        It gives what the client of the snapshot gave, byte for byte, on any computer, in any time
        zone, at any later day; and `OfflineError` for all else. It writes nothing anywhere.

        Args:
            path: what `snapshot` wrote.
            pseudonym_key: to ask by real ids where those in the snapshot are pseudonyms. Frames
                hold pseudonyms either way.
            formats: in place of those of the client that wrote it, which the snapshot holds.

        Raises:
            InputError: it is no snapshot, or damaged, or of a later version of this package; or it
                was made with another key, or with none.

        >>> from tempfile import TemporaryDirectory
        >>> from optimove_analysis.client import OptimoveClient
        >>> with TemporaryDirectory() as folder, OptimoveClient.sandbox() as client:
        ...     frame = client.interactions("841231", "2018-08-01", "2018-08-31")
        ...     study = client.snapshot(f"{folder}/study.oma", note="two events")
        ...     with OptimoveClient.replay(study) as again:
        ...         again.interactions("841231", "2018-08-01", "2018-08-31").equals(frame)
        ...         again.about.note
        True
        'two events'
        """
        replayed = open_snapshot(path, pseudonym_key=pseudonym_key, formats=formats)
        client = cls.__new__(cls)  # not by __init__: there is neither instance nor credential
        client._stop_sandbox = None  # noqa: SLF001 - an instance of ours
        client.settings = replayed.settings
        client._set_up(  # noqa: SLF001 - an instance of ours
            Quota(), replayed.cache, replayed.formats, replayed
        )
        return client

    @property
    def about(self) -> Snapshot | None:
        """What the snapshot says of itself that this client replays; None: it replays none."""
        return None if self._replayed is None else self._replayed.snapshot

    def asked(self) -> pl.DataFrame:
        """Return whom the snapshot that this client replays holds answers about, and which days.

        Returns:
            `schema.ASKED`: one row a customer and range that was asked about, by customer and
            range.

        Raises:
            InputError: this client replays no snapshot.
        """
        if self._replayed is None:
            raise InputError(
                "only a client that replays a snapshot knows whom it was asked about: "
                "OptimoveClient.replay(path)."
            )
        return self._replayed.asked()

    def snapshot(
        self,
        path: str | os.PathLike[str],
        *,
        note: str = "",
        pseudonymise: Key | None = None,
        overwrite: bool = False,
    ) -> Snapshot:
        """Write the answers that this client has used so far into one file; `replay` reads it.

        Exactly those, with their times, as they were last used, and never a credential. One file
        for this user alone; at no time is there half a one.

        Args:
            path: the file, as ``"study.oma"``.
            note: what it is of; a client that replays it shows the note.
            pseudonymise: a key of at least 16 bytes, as `new_pseudonym_key` makes it: customer ids
                are replaced by keyed hashes, and the key is not in the file. ``client.pseudonyms``
                says where ids are replaced, what that protects against and what not: other personal
                data in the answers stay, and what customers did and when may tell who they are.
            overwrite: whether it may take the place of a file that is there.

        Raises:
            InputError: nothing was used yet, a file is there already, or the key is too short.
            OptimoveAnalysisError: an answer that was used is no longer in the cache as it was, or
                the file cannot be written.

        >>> from tempfile import TemporaryDirectory
        >>> from optimove_analysis.client import OptimoveClient, new_pseudonym_key, pseudonym
        >>> key = new_pseudonym_key()
        >>> with TemporaryDirectory() as folder, OptimoveClient.sandbox() as client:
        ...     frame = client.interactions("841231", "2018-08-01", "2018-08-31")
        ...     study = client.snapshot(f"{folder}/study.oma", pseudonymise=key)
        ...     with OptimoveClient.replay(study, pseudonym_key=key) as again:
        ...         hidden = again.interactions("841231", "2018-08-01", "2018-08-31")
        >>> hidden["customer_id"].unique().to_list() == [pseudonym("841231", key)]
        True
        >>> hidden.drop("customer_id").equals(frame.drop("customer_id"))
        True
        """
        return write_snapshot(
            self._session,
            path,
            note=note,
            pseudonymise=pseudonymise,
            overwrite=overwrite,
            formats=self._formats,
        )

    def close(self) -> None:
        """Close connections and cache, and end the sandbox that this client started."""
        self._session.close()
        if self._stop_sandbox is not None:
            self._stop_sandbox()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._replayed is not None:
            return f"<OptimoveClient replaying {self._replayed.snapshot}>"
        # What could not be made is shown too, by tracebacks with their variables.
        return f"<OptimoveClient {self.settings.url if hasattr(self, 'settings') else 'unmade'}>"

    def _own(self, process: SandboxProcess) -> None:
        # Also when the client is forgotten, and when Python ends.
        self._stop_sandbox = weakref.finalize(self, process.stop)

    def _check_refresh(self, *, refresh: bool) -> None:
        if refresh and self._replayed is not None:
            raise InputError(
                f"refresh=True asks the API, and this client replays {self._replayed.snapshot.path}"
                " and asks nobody: leave it out, or make a client of the account."
            )
