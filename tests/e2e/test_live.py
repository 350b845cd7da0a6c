"""Files change under the running daemon, which nobody tells."""

from typing import Any

from tests.e2e.site import Site


def errors(site: Site) -> list[tuple[Any, ...]]:
    return [(one["file"], one["line"], one["column"]) for one in site.ask("status")["problems"]]


def flows(site: Site) -> list[str]:
    return [flow["flow"] for flow in site.ask("flow", "list")["flows"]]


def test_a_new_file_is_a_flow_and_a_broken_edit_leaves_it_as_it_was(site: Site) -> None:
    good = site.shell("0 * * * *", "true")
    site.flow("orders", good)

    with site.daemon() as daemon:
        daemon.until("orders .*: success")

        site.flow("new/stock", site.shell("0 * * * *", "true"))
        assert daemon.until("files changed") == "files changed: 2 flows, 0 problems"
        assert flows(site) == ["new/stock", "orders"]

        site.flow("orders", good.replace("cron", "corn"))
        daemon.until("files changed: 2 flows, 1 problem")
        assert errors(site) == [("flows/orders.toml", 2, 1)]
        assert site.ask("flow", "show", "orders")["schedule"]["cron"] == "0 * * * *"

        site.flow("orders", good)
        daemon.until("files changed: 2 flows, 0 problems")
        assert errors(site) == []


def test_a_mapping_module_that_was_edited_is_at_work(site: Site) -> None:
    site.environment["PYTHONPATH"] = str(site.config)
    calendar = site.config / "calendars.py"
    calendar.write_text("def days(date):\n    return [date]\n")
    settings = site.config / "sensord.toml"
    settings.write_text(settings.read_text() + 'mapping_modules = ["calendars"]\n')
    site.flow("orders", site.shell("0 * * * *", "true"))
    waits = '[[sensors]]\nupstream = "orders"\nmatch = "python:calendars:days"\n'
    site.flow("mart", site.shell("0 * * * *", "true") + waits)

    with site.daemon() as daemon:
        daemon.until("leads.* 2 flows, 0 problems")
        calendar.write_text("def days(date)\n    return [date]\n")
        daemon.until("files changed: 2 flows, 1 problem")
        assert errors(site) == [("calendars.py", 1, None)]

        calendar.write_text("def days(date):\n    return [date, date]\n")
        daemon.until("files changed: 2 flows, 0 problems")
        assert errors(site) == []


def test_errors_in_the_settings_change_nothing_until_they_are_mended(site: Site) -> None:
    site.flow("orders", site.shell("0 * * * *", "true"))
    settings = site.config / "sensord.toml"
    good = settings.read_text()

    with site.daemon() as daemon:
        daemon.until("leads")
        settings.write_text(good + "slots = 'many'\n")
        site.flow("stock", site.shell("0 * * * *", "true"))

        assert "sensord.toml:2:9: slots" in daemon.until("the old configuration goes on")
        assert flows(site) == ["orders"]

        settings.write_text(good)
        daemon.until("files changed: 2 flows")
        assert flows(site) == ["orders", "stock"]
