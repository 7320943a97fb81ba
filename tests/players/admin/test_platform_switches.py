"""One operator stops everybody, and two start again."""

from django.test import Client

from players.models import Approval, Operator, PlatformSwitch, Player
from tests.support.admin_pages import address, approved_by, page, requested
from tests.support.switches import restored

Name = PlatformSwitch.Name


def test_switch__is_off_by_one_and_on_by_two(client: Client, boss: Operator, second: Client) -> None:
    switch = PlatformSwitch.objects.get(name=Name.GAMING)
    with restored():
        stop = page(PlatformSwitch, switch, "stop")
        assert client.post(stop, {"reason": "It leaks", "typed_name": "game"}).status_code == 200
        assert PlatformSwitch.objects.get(pk=switch.pk).is_active
        assert client.post(stop, {"reason": "It leaks", "typed_name": "gaming"}).status_code == 302
        switch.refresh_from_db()
        assert (switch.is_active, switch.reason) == (False, "It leaks")
        assert switch.switched_by == f"operator:{boss.username}"
        text = client.get(address(Player)).content.decode()
        assert "Gaming: switched off" in text
        assert "It leaks" in text
        approval = requested(client, page(PlatformSwitch, switch, "restart"), reason="Mended")
        assert not PlatformSwitch.objects.get(pk=switch.pk).is_active
        assert approved_by(second, approval).state == Approval.State.EXECUTED
        switch.refresh_from_db()
        assert (switch.is_active, switch.reason) == (True, "Mended")
        assert "Gaming: switched off" not in client.get(address(Player)).content.decode()
