"""What we ask of a carrier's REST API in the course of a call: hang up, hand the caller over. It only performs."""

import base64
from collections.abc import Mapping

import aiohttp
import structlog

from bot.carrier.base import Line, RestRequest
from bot.config import TransferConfig
from bot.errors import CarrierError

log = structlog.get_logger()

_TRIES = 3  # a transfer whose answer alone was lost rings once more: better than a caller left with nobody


class CallControl:
    """One call at its carrier."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        line: Line,
        carrier_call_id: str,
        caller_id: str,
        transfers: Mapping[str, TransferConfig],
        regret: str,
    ) -> None:
        """A transfer goes to one of `transfers`, by name, and shows the number `caller_id`; `regret` is said if nobody
        answers there."""
        self._http = http
        self._line = line
        self._carrier_call_id = carrier_call_id
        self._caller_id = caller_id
        self._transfers = transfers
        self._regret = regret

    async def hang_up(self) -> None:
        """Ask the carrier to end the call; raises `CarrierError` when it will not."""
        await self._ask("hang up", self._line.hang_up(self._carrier_call_id))

    async def transfer(self, destination: str) -> None:
        """Hand the caller over to a destination of the configuration; raises `CarrierError` when that cannot be."""
        found = self._transfers.get(destination)
        if found is None:
            raise CarrierError(f"there is no destination {destination!r} in the bot's transfers")
        request = self._line.transfer(self._carrier_call_id, found.number, self._caller_id, self._regret)
        if request is None:
            raise CarrierError(
                f"on {self._line.name} nobody can be put through; a carrier needs its credentials for it"
            )
        await self._ask("transfer", request)

    async def _ask(self, what: str, request: RestRequest | None) -> None:
        if request is None:
            return
        problem = ""
        for attempt in range(1, _TRIES + 1):
            try:
                status, body = await self._perform(request)
            except aiohttp.ClientError as exc:  # such as a connection kept from an earlier call that is dead by now
                problem = f"the carrier's API is out of reach: {exc}"
            else:
                if self._line.is_done(status, body):
                    return
                problem = f"the carrier answered {status} to the request to {what}"
                if status < 500:
                    break
            log.warning("carrier_refused", request=what, error=problem, attempt=attempt)
        raise CarrierError(problem)

    async def _perform(self, request: RestRequest) -> tuple[int, str]:
        login = base64.b64encode(f"{request.username}:{request.password}".encode()).decode()
        async with self._http.request(
            request.method,
            request.url,
            data=aiohttp.FormData(list(request.form)),
            headers={"Authorization": f"Basic {login}"},
        ) as response:
            # A proxy's page about an error may be in any encoding; nothing of it is needed.
            return response.status, await response.text(errors="replace")
