"""`OptimoveClient`: one method an endpoint, typed frames out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Literal, TypeAlias, TypeVar, overload

import polars as pl

from optimove_analysis.catalogue import Catalogue
from optimove_analysis.client import endpoints
from optimove_analysis.client.ask import ask
from optimove_analysis.client.audience import answers, interactions
from optimove_analysis.client.by_campaign import sends
from optimove_analysis.client.catalogues import Asked, catalogue, customers
from optimove_analysis.client.coverage import Answers
from optimove_analysis.client.fetch import ProgressOption
from optimove_analysis.client.frames import Audience, Collected
from optimove_analysis.client.inputs import Day, Ids, as_day, as_days, as_ids, as_numbers, as_range
from optimove_analysis.client.last_update import last_update
from optimove_analysis.client.lifecycle import Lifecycle
from optimove_analysis.client.plan import Plan, plan
from optimove_analysis.client.reply import Reply
from optimove_analysis.client.showable import check_no_credential
from optimove_analysis.errors import InputError, OfflineError
from optimove_analysis.schema import (
    ACTIONS,
    API_ENDPOINTS,
    CAMPAIGNS,
    CHANNELS,
    TARGET_GROUPS,
    TEMPLATES,
    ApiEndpoint,
    Kind,
    Meaning,
    ParameterValue,
)

__all__ = ["OnError", "OptimoveClient", "Route"]

T = TypeVar("T")

OnError: TypeAlias = Literal["raise", "collect"]
"""What to do about a failure that is one customer's."""

Route: TypeAlias = Literal["auto", "customer", "campaign"]
"""Whether to ask for each customer, or for each campaign."""


class OptimoveClient(Lifecycle):
    """Optimove's API as typed frames: cached on disk, true to the quota, safe to share by threads.

    >>> client = OptimoveClient("api5", api_key="not a real one")
    >>> client
    <OptimoveClient https://api5.optimove.net>
    >>> client.close()

    Args:
        instance: the instance that Optimove assigned to you (``"api5"``), its address, or
            ``"sandbox"`` for this package's own, which needs no key.
        api_key: the account's key.
        token: a login's token in place of a key, or a function that gets one: it is called when the
            first is needed, and when one has aged.
        account: a name for the account; the cache then outlives a change of the key.
        cache_dir: the folder of the cache; by default ``OPTIMOVE_CACHE``, else the user's.
        quota: at most so many requests in any so many seconds; a list of such pairs where
            several limits hold at once.
        timeout: seconds to wait for a connection, and for each piece of an answer.
        threads: how many requests may be under way at once.
        engagement_metrics_path: where GetCampaignEngagementMetrics is; assumed, since no public
            page says it.
        formats: how this account's interactions are laid out, where neither format that the
            package knows fits; tried before those, so give each its ``marks``.
        settle_after: how long after a range's end its answers no longer change; they are then kept
            for good, others until the next data update.
        max_age: how old an answer that has not settled may be, even if no data update came since.
        offline: send nothing, ever: kept answers are all there is, whatever their age. With
            ``account``, no key is needed.

    Raises:
        InputError: an argument that cannot be used; the message says what can.
    """

    @overload
    def interactions(
        self,
        customer_ids: Ids,
        start: Day,
        end: Day,
        *,
        progress: ProgressOption = ...,
        refresh: bool = ...,
        offline: bool = ...,
        on_error: Literal["raise"] = ...,
        route: Route = ...,
        sent_event_id: int | None = ...,
    ) -> pl.DataFrame: ...

    @overload
    def interactions(
        self,
        customer_ids: Ids,
        start: Day,
        end: Day,
        *,
        progress: ProgressOption = ...,
        refresh: bool = ...,
        offline: bool = ...,
        on_error: Literal["collect"],
        route: Route = ...,
        sent_event_id: int | None = ...,
    ) -> Collected: ...

    def interactions(
        self,
        customer_ids: Ids,
        start: Day,
        end: Day,
        *,
        progress: ProgressOption = None,
        refresh: bool = False,
        offline: bool = False,
        on_error: OnError = "raise",
        route: Route = "auto",
        sent_event_id: int | None = None,
    ) -> pl.DataFrame | Collected:
        """Return how customers interacted with the campaigns sent from ``start`` to ``end``.

        One row an event, repeats included, in the order of the ids asked; the table is
        ``schema.INTERACTIONS``, for either response format. A customer whom the API does not know,
        or who has no interactions, has no rows: an empty answer and a 404 for a customer are alike.

        Answers are kept as they come: stopped at any instant, by Ctrl-C or worse, the same call
        goes on from there. `plan` says beforehand what it costs.

        Args:
            customer_ids: one or many: text or whole numbers, in a list, Series, array or
                one-column frame. One asked twice is asked for once.
            start: the first day of the range.
            end: its last day; it may lie in the future. ``data_through`` says, on each row,
                through which day the data is complete: the earliest of ``end``, the last data
                update and the day of the fetch.
            progress: None draws a bar if more than 5 requests must be sent; True or False; or a
                function that gets a `Progress` after each answer, and each second between them.
            refresh: ask the API even for what the cache holds, be it an answer that does not fit.
            offline: send nothing: what is kept is taken whatever its age, and ``data_through`` says
                how far it reaches.
            on_error: ``"raise"`` the first failure; or ``"collect"`` those that are one customer's
                and go on, to return ``(interactions, failures)``, both frames.
            route: ``"customer"`` asks for each customer; ``"campaign"`` asks for each campaign to
                whom it was sent, which may cost far less (`plan` says) and gives the sent events
                only, without the columns that a `RouteWarning` names. ``"auto"`` takes the cheaper
                of those that give everything: by what is documented, that is ``"customer"``.
            sent_event_id: which event id means sent in this account, for the campaign route, whose
                answers do not say; null in its rows where it is not given.

        Raises:
            InputError: no or bad ids, one that holds the API key, bad or reversed days, an unknown
                option.
            OfflineError: offline, a customer is not kept; ``missing`` has all of them.
            SchemaError, ResponseError: an answer is not what is documented.
            AuthError, QuotaError, ApiError, ConnectionFailedError: the first failure, after as
                many tries as make sense. Answers until then are kept: calling again goes on.

        >>> client = OptimoveClient.sandbox()
        >>> frame, failures = client.interactions(
        ...     ["000001", "841231"], "2018-08-01", "2018-08-31", on_error="collect"
        ... )
        >>> frame.height, failures.height
        (2, 0)
        >>> client.close()
        """
        path = endpoints.INTERACTIONS_PATH
        audience = self._audience(path, customer_ids, start, end)
        how: Any = {"progress": progress, "refresh": refresh, "offline": offline}
        self._check_refresh(refresh=refresh)
        if route not in ("auto", "customer", "campaign"):
            raise InputError.option("route", route, ("auto", "customer", "campaign"))
        if route == "campaign":
            if on_error != "raise":
                raise InputError(
                    "a campaign's failure is no one customer's: on_error='collect' goes with "
                    "route='customer'."
                )
            return sends(self._session, audience, sent_event_id=sent_event_id, **how)
        return self._interactions(audience, on_error, **how)

    @overload
    def engagement_metrics(
        self,
        customer_ids: Ids,
        start: Day,
        end: Day,
        *,
        progress: ProgressOption = ...,
        refresh: bool = ...,
        offline: bool = ...,
        on_error: Literal["raise"] = ...,
    ) -> pl.DataFrame: ...

    @overload
    def engagement_metrics(
        self,
        customer_ids: Ids,
        start: Day,
        end: Day,
        *,
        progress: ProgressOption = ...,
        refresh: bool = ...,
        offline: bool = ...,
        on_error: Literal["collect"],
    ) -> Collected: ...

    def engagement_metrics(
        self,
        customer_ids: Ids,
        start: Day,
        end: Day,
        *,
        progress: ProgressOption = None,
        refresh: bool = False,
        offline: bool = False,
        on_error: OnError = "raise",
    ) -> pl.DataFrame | Collected:
        """Return the same as `interactions`, from its announced successor.

        ASSUMED: no public page gives the path, parameters and fields of
        GetCampaignEngagementMetrics; see `ENGAGEMENT_METRICS` and ``engagement_metrics_path``.
        """
        path = self.settings.engagement_metrics_path
        audience = self._audience(path, customer_ids, start, end)
        return self._interactions(
            audience, on_error, progress=progress, refresh=refresh, offline=offline
        )

    def answers(
        self,
        customer_ids: Ids,
        start: Day,
        end: Day,
        *,
        progress: ProgressOption = None,
        refresh: bool = False,
        offline: bool = False,
        on_error: OnError = "raise",
    ) -> Answers:
        """Return the same as `interactions`, and of each answer what it covers.

        Args:
            customer_ids: as for `interactions`, as are all that follow.
            start: the first day of the range.
            end: its last day.
            progress: how to show progress.
            refresh: ask the API even for what the cache holds.
            offline: send nothing.
            on_error: ``"raise"`` the first failure, or ``"collect"`` those that are one customer's.

        Returns:
            ``(interactions, coverage, failures)``: `schema.INTERACTIONS`, `schema.COVERAGE`, one
            row an answer, and `schema.FAILURES`.

        >>> with OptimoveClient.sandbox() as client:
        ...     found = client.answers(["000001", "841231"], "2018-08-01", "2018-08-31")
        >>> found
        Answers: 2 answers with 2 interactions; 0 failed
        >>> found.coverage.select("customer_id", "found", "format", "rows").rows()
        [('000001', True, None, 0), ('841231', True, 'channel interactions', 2)]
        """
        audience = self._audience(endpoints.INTERACTIONS_PATH, customer_ids, start, end)
        return self._gathered(
            answers, audience, on_error, progress=progress, refresh=refresh, offline=offline
        )

    def customer_ids(self, customer_ids: Ids) -> list[str]:
        """Return customer ids as this client's frames have them: text, each once.

        Those that replay a snapshot with pseudonyms, and were given its key, return pseudonyms.
        """
        ids = as_ids(customer_ids)
        self._check_no_key("customer_ids", ids)
        return ids if self._replayed is None else self._replayed.ids(ids)

    def plan(self, customer_ids: Ids, start: Day, end: Day, *, refresh: bool = False) -> Plan:
        """Say what `interactions` would cost, before anything is sent; it takes milliseconds.

        Args:
            customer_ids: as for `interactions`.
            start: the first day of the range.
            end: its last day.
            refresh: as for `interactions`.

        >>> client = OptimoveClient("api5", api_key="not a real one")
        >>> client.plan(range(25), "2025-01-01", "2025-06-30")
        25 customers, 2025-01-01 to 2025-06-30
          kept       0  cost nothing
          to fetch  25  26 requests (1 for the last update), at once
        >>> client.close()
        """
        audience = self._audience(endpoints.INTERACTIONS_PATH, customer_ids, start, end)
        self._check_refresh(refresh=refresh)
        return plan(self._session, audience, refresh=refresh)

    @property
    def endpoints(self) -> Mapping[str, ApiEndpoint]:
        """The API's functions that `ask` asks, by name: what each takes, and how sure that is."""
        assumed = "GetCampaignEngagementMetrics"
        path = self.settings.engagement_metrics_path
        return {**API_ENDPOINTS, assumed: replace(API_ENDPOINTS[assumed], path=path)}

    def ask(
        self,
        endpoint: str,
        *,
        refresh: bool = False,
        **parameters: ParameterValue,
    ) -> Reply:
        """Ask one function one thing, and return what came back, to be looked at.

        By the way of all requests: what is kept and still good is taken from the cache, else it
        costs one request of the quota, and for interactions one more for the last data update,
        at most every ten minutes. What is kept is what the other methods use.

        An error that the API answers with (400, 401, 404; 429 and 500 after as many tries as make
        sense) is a `Reply` as well; so is an answer that is not what is documented. ``problem``
        says what is wrong with either.

        Args:
            endpoint: the function, one of `endpoints`.
            refresh: ask the API even for what the cache holds.
            parameters: the function's own; those with a ``$`` as ``**{"$top": 10}``. What they
                say is the API's to judge.

        Raises:
            InputError: there is no such function or parameter, a required one is missing, or one
                holds the API key.
            OfflineError: it is not kept, and nothing may be sent.
            ConnectionFailedError: no answer came.
            ResponseError: the answer is too large to be one.

        >>> client = OptimoveClient.sandbox()
        >>> reply = client.ask("GetExecutedCampaignDetails", Date="2018-08-20")
        >>> reply.status, reply.json()[0]["CampaignID"], reply.frame()["duration"].to_list()
        (200, 422, [7])
        >>> client.ask("GetChannelTemplates", ChannelID=0).text
        'Unknown ChannelID 0; this account has 504, 505, 506, 510, 511, 502, 7.'
        >>> client.close()
        """
        known = self.endpoints
        if endpoint not in known:
            raise InputError.option("endpoint", endpoint, known)
        self._check_refresh(refresh=refresh)
        given = known[endpoint].given(parameters)
        if self._replayed is not None and "CustomerID" in given:
            (given["CustomerID"],) = self._replayed.ids([given["CustomerID"]])
        try:
            return ask(
                self._session, known[endpoint], given, formats=self._formats, refresh=refresh
            )
        except OfflineError as error:
            if self._replayed is None:
                raise
            raise self._replayed.missing(error) from None

    def channels(self) -> pl.DataFrame:
        """Return the account's execution channels; one row a channel."""
        return catalogue(self._session, CHANNELS, endpoints.CHANNELS_PATH)

    def actions(self) -> pl.DataFrame:
        """Return the account's marketing actions; one row an action."""
        return catalogue(self._session, ACTIONS, endpoints.ACTIONS_PATH)

    def templates(self, channel_id: int | Iterable[int] | None = None) -> pl.DataFrame:
        """Return the templates of one channel, of several, or of all; one row a template."""
        if channel_id is None:
            numbers = self.channels()["channel_id"].drop_nulls().to_list()
        else:
            numbers = as_numbers(channel_id, "channel_id")
        asked = [({"ChannelID": str(number)}, {"channel_id": number}) for number in numbers]
        return catalogue(self._session, TEMPLATES, endpoints.TEMPLATES_PATH, asked)

    def campaigns(
        self, days: Day | Iterable[Day] | None = None, *, campaign_ids: Ids | None = None
    ) -> pl.DataFrame:
        """Return the campaigns executed on a day or days, or those of the ids; one row a campaign.

        Raises:
            InputError: neither days nor ids are given, or both are.
        """
        if campaign_ids is not None and days is None:
            ids = as_ids(campaign_ids, "campaign_ids")
            self._check_no_key("campaign_ids", ids)
            by_id: Asked = [({"CampaignID": text}, {}) for text in ids]
            return catalogue(
                self._session, CAMPAIGNS, endpoints.CAMPAIGN_PATH, by_id, shape="object"
            )
        if days is not None and campaign_ids is None:
            by_day: Asked = [({"Date": day.isoformat()}, {}) for day in as_days(days)]
            return catalogue(self._session, CAMPAIGNS, endpoints.CAMPAIGNS_PATH, by_day)
        raise InputError("give the days, as '2018-08-20', or campaign_ids=..., one of the two.")

    def target_groups(self) -> pl.DataFrame:
        """Return the account's target groups; one row a group."""
        return catalogue(self._session, TARGET_GROUPS, endpoints.TARGET_GROUPS_PATH)

    def customers(
        self, target_group_id: int, day: Day, *, page_size: int | None = None
    ) -> pl.DataFrame:
        """Return the customers of a target group on a day, with their action and channel.

        Whether the API pages here, and by how many, is not documented. So pages are asked for
        until one is empty, or is the first one again: the API then gives all at once.

        Args:
            target_group_id: of `target_groups`.
            day: the day of the targeting.
            page_size: customers a page; None leaves it to the API.
        """
        return customers(self._session, target_group_id, as_day(day), page_size)

    def last_update(self) -> date:
        """Return the day through which the API's data is complete.

        Raises:
            ApiError: the API does not say; Optimove's own test environment is known not to.
        """
        return last_update(self._session)

    def catalogue(
        self,
        *,
        events: Mapping[int, Meaning] | None = None,
        kinds: Mapping[int, Kind] | None = None,
        reports_sent: bool | None = None,
    ) -> Catalogue:
        """Return what the account's ids mean: channels by the API, the rest as you say.

        Args:
            events: event id to meaning. No public page says what they are; the default holds for
                this package's sandbox.
            kinds: channel id to kind, where the name would be guessed wrong.
            reports_sent: whether the account's answers hold sent events; None: look at each frame.
        """
        given = {"events": events, "kinds": kinds}
        more = {name: value for name, value in given.items() if value is not None}
        return Catalogue.from_channels(self.channels(), reports_sent=reports_sent, **more)

    def _check_no_key(self, name: str, ids: Iterable[str]) -> None:
        # As one text: to look into each of a million takes seconds.
        check_no_credential({name: "\n".join(ids)}, self._session.settings.credential)

    def _audience(self, path: str, customer_ids: Ids, start: Day, end: Day) -> Audience:
        ids = self.customer_ids(customer_ids)
        return Audience(path, ids, *as_range(start, end), self._formats)

    def _interactions(
        self,
        audience: Audience,
        on_error: OnError,
        **how: Any,  # noqa: ANN401 - as `interactions` has them
    ) -> pl.DataFrame | Collected:
        collected = self._gathered(interactions, audience, on_error, **how)
        return collected if on_error == "collect" else collected.interactions

    def _gathered(
        self,
        gather: Callable[..., T],
        audience: Audience,
        on_error: OnError,
        **how: Any,  # noqa: ANN401 - as `interactions` has them
    ) -> T:
        if on_error not in ("raise", "collect"):
            raise InputError.option("on_error", on_error, ("raise", "collect"))
        self._check_refresh(refresh=how["refresh"])
        try:
            return gather(self._session, audience, collects=on_error == "collect", **how)
        except OfflineError as error:
            if self._replayed is None:
                raise
            raise self._replayed.missing(error) from None
