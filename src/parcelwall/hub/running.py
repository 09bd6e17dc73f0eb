"""What runs in a hub process beside its requests: followers, hand-overs of notices, sweeps, news for live pages."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

import structlog

from parcelwall.clock import Clock
from parcelwall.hub import sweeps
from parcelwall.hub.followers import follow, number_and_ring
from parcelwall.hub.house import Hub
from parcelwall.hub.passkeys import possible_at
from parcelwall.hub.people import Person
from parcelwall.hub.reading import LOST
from parcelwall.hub.tell import NAME, Channel, Teller
from parcelwall.notices.failures import Undeliverable
from parcelwall.notices.mail import Mailer, MailSettings
from parcelwall.notices.messages import Message
from parcelwall.notices.text_message import MOBILE, TextMessenger, TextSettings
from parcelwall.settings import HubSettings

KEEP_UP_EVERY_S = 1.0
AGAIN_S = 1.0  # before a job that failed begins anew

Job = Callable[[], Awaitable[None]]

log = structlog.get_logger()


class ByMail:
    """Notices as e-mail."""

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer

    async def hand_over(self, person: Person, message: Message, message_id: str) -> None:
        if not person.email:
            raise Undeliverable("address_unreadable")
        await self._mailer.send(person.email, message, message_id)


class ByText:
    """Notices as text messages."""

    def __init__(self, messenger: TextMessenger) -> None:
        self._messenger = messenger

    async def hand_over(self, person: Person, message: Message, message_id: str) -> None:
        if not person.phone:
            raise Undeliverable("number_unreadable")
        await self._messenger.send(person.phone, message)


@asynccontextmanager
async def channels(settings: HubSettings, clock: Clock) -> AsyncIterator[dict[str, Channel]]:
    """The channels that the settings name; without any, nobody is told: no notice is made."""
    async with AsyncExitStack() as stack:
        found: dict[str, Channel] = {}
        if settings.smtp_host:
            mail = MailSettings(
                host=settings.smtp_host, port=settings.smtp_port, user=settings.smtp_user,
                password=settings.smtp_password, sender=settings.mail_from, tls=settings.smtp_tls,
            )  # fmt: skip
            mailer = Mailer(mail, clock)
            stack.push_async_callback(mailer.close)
            found["email"] = ByMail(mailer)
        if settings.sms_url:
            allowed = tuple(each.strip() for each in settings.sms_allowed.split(",") if each.strip())
            text = TextSettings(url=settings.sms_url, home=settings.sms_home.strip(), allowed=allowed or MOBILE)
            found["sms"] = ByText(TextMessenger(text))
        yield found


def names_of(settings: HubSettings) -> tuple[str, ...]:
    """The names that a station may have dialled; what it signs must be one of them, so that no false hub can relay."""
    more = (name.strip() for name in settings.link_names.split(","))
    return (urlsplit(settings.public_url).netloc, *(name for name in more if name))


async def kept(name: str, job: Job, again_s: float = AGAIN_S) -> None:
    """Does a job that never ends. If it fails or ends all the same, for a reason that nobody thought of, the log says
    so and it begins anew: a hub that tells nobody any more, or in which nothing lapses, would look healthy."""
    own = asyncio.current_task()
    while True:
        try:
            await job()
            log.error("job_ends", job=name, reason="it never ends by itself")
        except asyncio.CancelledError:
            if own is None or own.cancelling():  # we are told to end; else only something that the job waited for was
                raise
            log.exception("job_fails", job=name, reason="CancelledError")
        except Exception as failed:
            log.exception("job_fails", job=name, reason=type(failed).__name__)
        await asyncio.sleep(again_s)


async def keep_up(hub: Hub) -> None:
    """Stations and policy that another process has changed are known here a moment later."""
    bell = hub.bells.hang(hub.bells.EVERYTHING)
    while True:
        await bell.wait()
        bell.clear()
        with contextlib.suppress(*LOST):
            await hub.refresh()
        await asyncio.sleep(KEEP_UP_EVERY_S)


def _settle_memory() -> None:
    """What was read at the start (every station's plan) is not garbage: it is not looked through again and again.

    It took a fifth of the desk's time before (docs/speed.md).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@asynccontextmanager
async def running(hub: Hub, settings: HubSettings, sweep_every_s: float = sweeps.EVERY_S) -> AsyncIterator[Teller]:
    """Everything beside the requests, as long as the block lasts."""
    hub.names, hub.public_url = names_of(settings), settings.public_url.rstrip("/")
    hub.desk.verifies = possible_at(hub.public_url)
    async with channels(settings, hub.clock) as open_channels:
        domain = settings.mail_from.rpartition("@")[2].rstrip(">")
        hub.channels = dict(open_channels)
        teller = Teller(hub, open_channels, settings.public_url, domain)
        jobs: dict[str, Job] = {
            "followers": lambda: follow(hub.pool, {NAME: teller.note, "feed": number_and_ring}),
            "bells": lambda: hub.bells.listen(hub.dsn, hub.answering),
            "hand-overs": teller.run,
            "sweeps": lambda: sweeps.run(hub, teller, sweep_every_s),
            "keeping up": lambda: keep_up(hub),
            "offers": hub.offers.run,
            "rooms": lambda: hub.offers.rooms.run(lambda: hub.stations.known),
        }
        tasks = [asyncio.create_task(kept(name, job)) for name, job in jobs.items()]
        _settle_memory()
        try:
            yield teller
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
