"""The part of a host that says whom the host calls: outgoing webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from jumpseat.access.rights import operation, require
from jumpseat.errors import InvalidValue, NotFound, Refused, SealBroken
from jumpseat.reach import Reach
from jumpseat.secret import Secret
from jumpseat.speech import say
from jumpseat.store import webhooks as rows
from jumpseat.store.columns import new_id
from jumpseat.store.idempotency import Kept
from jumpseat.store.webhooks import STATES, Delivery, Webhook
from jumpseat.types import Supporter
from jumpseat.webhooks import fan_out, keeping, signing
from jumpseat.webhooks.body import TYPES
from jumpseat.webhooks.delivering import NO_KEY, alert_key

LONGEST_NAME = 80
BY_HAND = say("Disabled by hand.")


class Calling(Reach):
    """Whom the host calls: outgoing webhooks; ``Host`` adds the rest."""

    @operation("webhooks.edit")
    def create_webhook(
        self, name: str, url: str, kinds: Sequence[str], supporter: Supporter, *, kept: Kept | None = None
    ) -> tuple[Webhook, Secret]:
        """Have an address called when something happens to sessions, from now on.

        Args:
            name: unique; commands take it in place of the id.
            url: https, and on the public internet unless ``webhook_hosts`` of host.yaml says otherwise.
            kinds: which of ``session.opened``, ``session.shared``, ``customer.joined``, ``session.closed`` and ``session.expired``;
                empty for all.
            supporter: who creates it.
            kept: keeps the answer of the call, where it has an idempotency key.

        Returns:
            The webhook, and the secret that signs its calls: shown once, stored sealed.

        Raises:
            InvalidValue: there is one of this name, a kind is not known, or the address may not be called.
        """
        require(supporter, "webhooks.edit")
        self._wiring.egress().target(url)
        webhook = Webhook(new_id("wh"), _name(name), url, _kinds(kinds), self.clock.now())
        secret = signing.new_secret()
        sealed = keeping.seal(self._wiring.sealer, webhook.id, secret)
        with self._wiring.store.write() as connection:
            rows.add(connection, webhook, sealed)
            fan_out.begin(connection)
            if kept is not None:
                kept(connection, webhook)
        return webhook, secret

    @operation("webhooks.read")
    def webhooks(self, supporter: Supporter) -> list[Webhook]:
        """All webhooks by name, without their secrets."""
        require(supporter, "webhooks.read")
        with self._wiring.store.read() as connection:
            return list(rows.listed(connection))

    @operation("webhooks.read")
    def webhook(self, webhook: str, supporter: Supporter) -> Webhook:
        """One webhook.

        Args:
            webhook: its id or its name.
            supporter: who asks.

        Raises:
            NotFound: there is none.
        """
        require(supporter, "webhooks.read")
        with self._wiring.store.read() as connection:
            return _found(connection, webhook)

    @operation("webhooks.edit")
    def change_webhook(
        self,
        webhook: str,
        supporter: Supporter,
        *,
        name: str | None = None,
        url: str | None = None,
        kinds: Sequence[str] | None = None,
        enabled: bool | None = None,
    ) -> Webhook:
        """Change what is given of a webhook; None leaves it as it is.

        What waits for a webhook while it is disabled is sent when it is enabled again, with all its tries; what happens meanwhile is
        not told.

        Args:
            webhook: its id or its name.
            supporter: who changes it.
            name: another name.
            url: another address, for what waits as well.
            kinds: what it is told from now on; empty for everything.
            enabled: whether it is called.
        """
        require(supporter, "webhooks.edit")
        given: dict[str, Any] = {}
        if name is not None:
            given["name"] = _name(name)
        if url is not None:
            self._wiring.egress().target(url)
            given |= {"url": url, "paused_until": None}
        if kinds is not None:
            given["kinds"] = _kinds(kinds)
        with self._wiring.store.write() as connection:
            found = _found(connection, webhook)
            if enabled is True and found.disabled_at is not None:
                given |= {"disabled_at": None, "disabled_reason": None, "paused_until": None}
                rows.wake(connection, found.id, self.clock.now())
            if enabled is False and found.disabled_at is None:
                given |= {"disabled_at": self.clock.now(), "disabled_reason": BY_HAND}
            if given:
                rows.change(connection, found, **given)
        if enabled is True:
            self._wiring.alerts.clear(alert_key(found.id))
        return replace(found, **given)

    @operation("webhooks.edit")
    def rotate_webhook_secret(self, webhook: str, supporter: Supporter) -> tuple[Webhook, Secret]:
        """Give a webhook a new secret; those before sign as well for 24 hours, so that no call is lost while the receiver changes over.

        Args:
            webhook: its id or its name.
            supporter: who changes it.

        Returns:
            The webhook, and the new secret: shown once, stored sealed.
        """
        require(supporter, "webhooks.edit")
        secret, now = signing.new_secret(), self.clock.now()
        with self._wiring.store.write() as connection:
            found = _found(connection, webhook)
            sealed = rows.secrets_of(connection, found.id)
            columns = keeping.replaced(self._wiring.sealer, found.id, sealed, secret, now)
            rows.change(connection, found, **columns, paused_until=None)
            rows.wake_locked_out(connection, found.id, now, NO_KEY)
        if found.disabled_at is None:
            self._wiring.alerts.clear(alert_key(found.id))
        return replace(found, old_secret_until=columns["old_secret_until"], paused_until=None), secret

    @operation("webhooks.edit")
    def reseal_webhooks(self, supporter: Supporter) -> tuple[int, int]:
        """Put the secrets of all webhooks under the first key of ``JUMPSEAT_SECRET_KEY``, while they are used.

        Returns:
            How many webhooks' were, and of how many some cannot be opened with the keys that are known here.
        """
        require(supporter, "webhooks.edit")
        return keeping.reseal(self._wiring.store, self._wiring.sealer, self.clock.now())

    @operation("webhooks.edit")
    def delete_webhook(self, webhook: str, supporter: Supporter) -> Webhook:
        """Remove a webhook with its deliveries, those too that wait; answers what it was."""
        require(supporter, "webhooks.edit")
        with self._wiring.store.write() as connection:
            found = _found(connection, webhook)
            rows.delete(connection, found.id)
        self._wiring.alerts.clear(alert_key(found.id))
        return found

    @operation("webhooks.edit")
    def test_webhook(self, webhook: str, supporter: Supporter) -> Delivery:
        """Call a webhook now, once, with a body of the type ``webhook.test``; answers what came of it.

        A disabled one is called as well, for one looks before one enables it.
        """
        require(supporter, "webhooks.edit")
        with self._wiring.store.read() as connection:
            found = _found(connection, webhook)
        return self._wiring.webhook_calls.trial(found)

    @operation("webhooks.read")
    def webhook_deliveries(
        self, webhook: str, supporter: Supporter, *, state: str | None = None, before: str | None = None, limit: int = 50
    ) -> list[Delivery]:
        """What was told to a webhook or waits to be, newest first.

        Args:
            webhook: its id or its name.
            supporter: who asks.
            state: only those that are ``waiting``, ``sending``, ``delivered`` or ``failed``.
            before: id of the last one on the page before.
            limit: at most so many.
        """
        require(supporter, "webhooks.read")
        if state is not None and state not in STATES:
            raise InvalidValue(say("There is no state '{state}'. Known: {known}.", state=state, known=", ".join(STATES)), param="state")
        with self._wiring.store.read() as connection:
            found = _found(connection, webhook)
            return list(rows.deliveries_of(connection, found.id, state=state, before=before, limit=limit))

    @operation("webhooks.edit")
    def redeliver_webhook(self, webhook: str, delivery_id: str, supporter: Supporter) -> Delivery:
        """Send a delivery once more, with the same id and the same bytes; one that waits is sent now.

        Args:
            webhook: its id or its name.
            delivery_id: one of its deliveries.
            supporter: who asks.

        Raises:
            NotFound: the webhook has no such delivery.
            Refused: it was a trial, or the webhook is disabled.
        """
        require(supporter, "webhooks.edit")
        with self._wiring.store.write() as connection:
            found = _found(connection, webhook)
            delivery = rows.get_delivery(connection, delivery_id)
            if delivery is None or delivery.webhook_id != found.id:
                raise NotFound(
                    say("The webhook '{name}' has no delivery '{delivery_id}'.", name=found.name, delivery_id=delivery_id[:100]),
                    param="deliveryId",
                )
            if delivery.event_id is None:
                raise Refused(say("This was a trial and tells of nothing. Test the webhook again instead."))
            if found.disabled_at is not None:
                raise Refused(say("The webhook '{name}' is disabled. Enable it first.", name=found.name))
            return rows.again(connection, delivery, self.clock.now())

    @operation("webhooks.read")
    def webhook_troubles(self, supporter: Supporter) -> list[tuple[Webhook, str]]:
        """Every webhook by name, with what keeps it from being called; an empty text where nothing does."""
        require(supporter, "webhooks.read")
        with self._wiring.store.read() as connection:
            found = [(webhook, rows.secrets_of(connection, webhook.id)) for webhook in rows.listed(connection)]
        return [(webhook, self._trouble(webhook, sealed)) for webhook, sealed in found]

    def _trouble(self, webhook: Webhook, sealed: rows.SealedSecrets) -> str:
        if webhook.disabled_at is not None:
            return say("disabled: {reason}", reason=webhook.disabled_reason)
        try:
            keeping.current(self._wiring.sealer, webhook.id, sealed)
            self._wiring.egress().target(webhook.url)
        except (SealBroken, InvalidValue) as error:  # the latter also where the key itself is none
            return error.message
        return ""


def _found(connection: Connection, webhook: str) -> Webhook:
    found = rows.find(connection, webhook)
    if found is None:
        raise NotFound(
            say("There is no webhook '{webhook}'; 'jumpseat webhooks list' shows them.", webhook=webhook[:100]), param="webhookId"
        )
    return found


def _name(name: str) -> str:
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise InvalidValue(
            say("The name has to be one line of at most {n} characters, without spaces at its ends.", n=LONGEST_NAME), param="name"
        )
    return name


def _kinds(kinds: Sequence[str]) -> tuple[str, ...]:
    unknown = [kind for kind in kinds if kind not in TYPES]
    if unknown:
        raise InvalidValue(say("There is no kind '{kind}'. Known: {known}.", kind=unknown[0][:100], known=", ".join(TYPES)), param="kinds")
    return tuple(type for type in TYPES if type in kinds) or TYPES
