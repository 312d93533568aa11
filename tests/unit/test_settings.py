"""Settings come from file, environment and command line; every mistake is named with its place and remedy."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from app.entrypoints.settings.keys import keys
from app.entrypoints.settings.loading import SettingsError, load_settings
from app.entrypoints.settings.schema import Settings
from app.entrypoints.settings.schema_network import Chain


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "powerd.toml"


def load(file: Path, text: str, environ: dict[str, str] | None = None, **overrides: object) -> Settings:
    file.write_text(text, encoding="utf-8")
    return load_settings(file, environ or {}, overrides)


def error_of(file: Path, text: str, environ: dict[str, str] | None = None, **overrides: object) -> str:
    with pytest.raises(SettingsError) as caught:
        load(file, text, environ, **overrides)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_anything_the_defaults_hold() -> None:
    assert load_settings(None, {"PATH": "/bin", "POWER": "1"}, {}) == Settings()


def test_the_default_of_every_key_is_one_that_may_be_given() -> None:
    given = msgspec.to_builtins(Settings())
    assert msgspec.convert(given, Settings) == Settings()


def test_r6_looks_through_a_gateway_must_come_often_enough_to_see_the_chain_move(file: Path) -> None:
    with pytest.raises(SettingsError, match=r"zbus.gateway_follow_up_s.*say 30 or less"):
        load(file, 'profile = "zos"\nzbus.gateway_follow_up_s = 31.0')
    load(file, 'profile = "zos"\nzbus.gateway_follow_up_s = 31.0\nchain.best_head_age_s_max = 0')
    load(file, 'profile = "systemd"\nzbus.gateway_follow_up_s = 31.0')


def test_r14_a_proved_wake_is_not_required_where_none_can_be_proved(file: Path) -> None:
    with pytest.raises(SettingsError, match=r"require_proved_wake: api-gateway does not say what was before a boot"):
        load(file, 'profile = "zos"\npower_management.require_proved_wake = true')
    load(file, 'profile = "systemd"\npower_management.require_proved_wake = true')


def test_a_file_sets_keys_at_the_top_and_in_sections(file: Path) -> None:
    settings = load(
        file,
        """
        profile = "simulated"
        broker.url = "unix://var/run/redis.sock"
        [chain]
        urls = ["ws://a:1", "wss://b"]
        timeout_s = 5
        [power_management]
        enabled = false
        """,
    )
    assert settings.profile == "simulated"
    assert settings.broker.url == "unix://var/run/redis.sock"
    assert settings.chain == Chain(urls=("ws://a:1", "wss://b"), timeout_s=5.0)
    assert not settings.power_management.enabled


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(file: Path) -> None:
    environ = {"POWERD_BROKER_URL": "tcp://env:1", "POWERD_WAKE_PACKETS": "3"}
    text = '[broker]\nurl = "tcp://file:1"\n[wake]\npackets = 2\ndeadline_s = 970\n'
    settings = load(file, text, environ, **{"broker.url": "tcp://line:1"})
    assert settings.broker.url == "tcp://line:1"
    assert settings.wake.packets == 3
    assert settings.wake.deadline_s == 970


def test_a_wrong_value_that_is_overridden_does_no_harm(file: Path) -> None:
    assert load(file, "[wake]\npackets = 0\n", {"POWERD_WAKE_PACKETS": "3"}).wake.packets == 3


@pytest.mark.parametrize(
    ("variable", "text", "path", "value"),
    [
        ("PROFILE", "zos", "profile", "zos"),
        ("CHAIN_URLS", "ws://a,ws://b", "chain.urls", ("ws://a", "ws://b")),
        ("CHAIN_URLS", " ws://a , ws://b ws://c,", "chain.urls", ("ws://a", "ws://b", "ws://c")),
        ("CHAIN_ERA_BLOCKS", "64", "chain.era_blocks", 64),
        ("CHAIN_TIMEOUT_S", "2.5", "chain.timeout_s", 2.5),
        ("POWER_MANAGEMENT_ENABLED", "No", "power_management.enabled", False),
        ("POWER_MANAGEMENT_ENABLED", "1", "power_management.enabled", True),
        (
            "HOST_POWER_REBOOT_COMMAND",
            "sh -c 'echo a,b; true'",
            "host_power.reboot_command",
            ("sh", "-c", "echo a,b; true"),
        ),
        ("IDENTITY_KEY_FILE", "/run/a key", "identity.key_file", "/run/a key"),
        ("NIC_MAC", "", "nic.mac", ""),
        ("MAGIC_PACKETS_INTERFACE", "br0", "magic_packets.interface", "br0"),
        ("MAGIC_PACKETS_INTERFACE", "br0, br1", "magic_packets.interface", ("br0", "br1")),
        ("MAGIC_PACKETS_INTERFACE", "", "magic_packets.interface", ""),
    ],
)
def test_a_variable_is_read_as_its_key_wants(variable: str, text: str, path: str, value: object) -> None:
    settings = load_settings(None, {f"POWERD_{variable}": text}, {})
    section, _, name = path.rpartition(".")
    assert getattr(getattr(settings, section, settings), name) == value


@pytest.mark.parametrize(
    ("text", "interfaces"),
    [("'br0'", ("br0",)), ("['br0', 'br1', 'br0']", ("br0", "br1")), ("['br0']", ("br0",)), ("''", ("",))],
)
def test_packets_leave_by_one_interface_or_by_several(file: Path, text: str, interfaces: tuple[str, ...]) -> None:
    assert load(file, f"[magic_packets]\ninterface = {text}\n").magic_packets.interfaces == interfaces


@pytest.mark.parametrize("text", ["[]", "['br0', '']", "['an-interface-of-a-long-name']", "7", "['br0', 7]"])
def test_a_list_of_interfaces_that_can_not_be_meant_is_refused(file: Path, text: str) -> None:
    assert "magic_packets.interface" in error_of(file, f"[magic_packets]\ninterface = {text}\n")


def test_every_key_has_a_variable_of_its_own() -> None:
    variables = [key.variable for key in keys().values()]
    assert len(set(variables)) == len(variables)
    assert "POWERD_MAGIC_PACKETS_INTERFACE" in variables


def test_variables_of_tests_and_benchmarks_and_the_name_of_the_file_are_no_settings() -> None:
    environ = {"POWERD_CONFIG": "x", "POWERD_TEST_NO_SKIP": "1", "POWERD_BENCH_NODES": "9"}
    assert load_settings(None, environ, {}) == Settings()


@pytest.mark.parametrize(
    ("variable", "text", "complaint"),
    [
        ("POWERD_CHAIN_URL", "ws://a", "POWERD_CHAIN_URL sets nothing (did you mean POWERD_CHAIN_URLS?)"),
        ("POWERD_CONFIGURATION", "x", "POWERD_CONFIGURATION sets nothing; unset it"),
        ("POWERD_MAGIC_PACKETS_BRIGDE", "x", "sets nothing (did you mean POWERD_NIC_BRIDGE?)"),
        ("POWERD_CHIAN_URLS", "x", "sets nothing (did you mean POWERD_CHAIN_URLS?)"),
        ("POWERD_KEY_FILE", "x", "(did you mean POWERD_IDENTITY_KEY_FILE or POWERD_FARMER_KEY_FILE?)"),
        ("POWERD_", "x", "POWERD_ sets nothing;"),
        ("POWERD_WAKE_PACKETS", "ten", "POWERD_WAKE_PACKETS sets wake.packets: 'ten' is not a whole number"),
        ("POWERD_WAKE_PACKETS", "", "'' is not a whole number"),
        ("POWERD_WAKE_DEADLINE_S", "1 h", "sets wake.deadline_s: '1 h' is not a number"),
        ("POWERD_WAKE_DEADLINE_S", "inf", "wake.deadline_s: inf is not a finite number"),
        ("POWERD_WAKE_DEADLINE_S", "nan", "wake.deadline_s: has to be 0.01 or more"),
        ("POWERD_POWER_MANAGEMENT_ENABLED", "maybe", "'maybe' is neither true nor false"),
        ("POWERD_HOST_POWER_STATE_COMMAND", "sh '", "can't be split as a shell would (No closing quotation)"),
        ("POWERD_HOST_POWER_STATE_COMMAND", "", "host_power.state_command: has to have one entry at least"),
        ("POWERD_CHAIN_URLS", " ", "chain.urls: has to have one entry at least"),
        ("POWERD_WAKE_PACKETS", "0", "the environment variable POWERD_WAKE_PACKETS: wake.packets: has to be 1 or more"),
    ],
)
def test_a_wrong_variable_is_named_with_what_is_wrong(variable: str, text: str, complaint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, {variable: text}, {})
    assert complaint in str(caught.value)
    assert variable in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[chain]\nurl = 1", "no setting chain.url (did you mean chain.urls?); remove it or correct its name"),
        ("[chian]\nurls = []", "no setting chian (did you mean chain?)"),
        ("urls = []", "no setting urls (did you mean chain.urls?)"),
        ("[nic]\nport = 9", "no setting nic.port (did you mean magic_packets.port or metrics.port?)"),
        ("[magic_packets]\nbrigde = 'br0'", "no setting magic_packets.brigde (did you mean nic.bridge?)"),
        ("[wake]\nkey_file = 'k'", "wake.key_file (did you mean identity.key_file or farmer.key_file?)"),
        ("[chain]\nprofile = 'zos'", "chain.profile (did you mean profile, above the first [section]?)"),
        ("[chian]\nurls = []\n[broker]\nkind = 1", "no setting chian (did you mean chain?)"),
        ("[broker]\nkind = 'x'", "no setting broker.kind; remove it"),
        ('"a\\nb" = 1', "no setting a\\nb; remove it"),
        ('profile = "a\\nb"', "profile: has to be one of auto, "),
        ("nonsense = 1", "no setting nonsense; remove"),
        ("[chain.urls.more]\nx = 1", "chain.urls: has to be a list such as [1, 2], and is a section or table"),
        ("broker = 1", "broker is a section; write [broker], and its keys below"),
        ("[profile]\nx = 1", "profile: has to be one of auto, systemd, zos, simulated; fix it"),
        (
            "[chain]\ntimeout_s = '5'",
            (
                "chain.timeout_s: has to be a number, and is text in quotation marks; "
                "fix it, or leave it out for the default 20.0"
            ),
        ),
        ("[chain]\ntimeout_s = true", "chain.timeout_s: has to be a number, and is true or false"),
        ("[chain]\ntimeout_s = 0", "chain.timeout_s: has to be 0.01 or more"),
        ("[power_management]\nfollow_up_s = 1e-9", "power_management.follow_up_s: has to be 0.01 or more"),
        ("[uptime]\ninterval_s = 1e300", "uptime.interval_s: 1e+300 s is more than a day; say 86400 or less"),
        (
            "[power_management]\nreconcile_interval_s = 1e6",
            "reconcile_interval_s: 1e+06 s is more than a day",
        ),
        (
            "[power_management]\nsign_of_life_s = 1e9",
            "power_management.sign_of_life_s: 1e+09 s is more than a day; say 86400 or less",
        ),
        ("[wake]\ndeadline_s = 1e300", "wake.deadline_s: 1e+300 s is more than a day"),
        ("[chain]\nbest_head_age_s_max = 1e99", "chain.best_head_age_s_max: 1e+99 s is more than a day"),
        ("[holds]\ndir = 'holds'", "holds.dir: 'holds' is no absolute path, so each program would take it for another"),
        ("[host_facts]\nflags_dir = './flags'", "host_facts.flags_dir: './flags' is no absolute path"),
        ("[chain]\ntimeout_s = inf", "chain.timeout_s: inf is not a finite number"),
        ("[chain]\nera_blocks = 2.5", "chain.era_blocks: has to be a whole number, and is a number"),
        ("[chain]\nera_blocks = 1979-05-27", "chain.era_blocks: has to be a whole number, and is a date"),
        ("[chain]\nurls = ['ws://a', 1]", "chain.urls: has to be text in quotation marks, and is a whole number"),
        ("[chain]\nurls = ['http://a']", "chain.urls: 'http://a' is no WebSocket address"),
        ("[chain]\nurls = ['ws://']", "chain.urls: 'ws://' is no WebSocket address"),
        ("[chain]\nurls = ['ws://a:70000']", "chain.urls: 'ws://a:70000' is no WebSocket address"),
        ("[chain]\nurls = ['htp://me:geheim@h/key']", "chain.urls: 'htp://h' is no WebSocket address"),
        ("[chain]\nurls = ['wss//h/geheim']", "chain.urls: 'wss' is no WebSocket address"),
        ("[chain]\nurls = ['ws://[a']", "chain.urls: 'ws://[a' is no WebSocket address"),
        ("[chain]\ngenesis_hash = '0x12'", "chain.genesis_hash: has to be 0x and 64 digits of 0-9 and a-f, or empty"),
        ("[log]\nlevel = 'loud'", "log.level: has to be one of debug, info, warning, error"),
        ("[broker]\nurl = 'amqp://a'", "unknown scheme; use unix://, tcp://, redis:// or rediss://"),
        ("[broker]\nurl = 'redis://[a'", "broker.url: the broker URL redis://[a can't be read; Invalid IPv6 URL"),
        ("[broker]\nurl = 'tcp://a:b'", "broker.url: the broker URL tcp://a:b has no valid port"),
        ("[chain]\nera_blocks = 24", "chain.era_blocks: 24 is no power of two"),
        ("[magic_packets]\nhost = 'lan'", "magic_packets.host: 'lan' is no IPv4 address"),
        ("[nic]\nmac = '01:00:5e:00:00:01'", "nic.mac: '01:00:5e:00:00:01' is a zero or group address"),
        (
            "[wake]\npackets = 90",
            "wake.retry_delay_s_min, 15 s; say wake.packet_interval_s = 0.166667 or less",
        ),
        ("[wake]\nretry_delay_s_min = 400", "wake.retry_delay_s_min: 400.0 is more than wake.retry_delay_s_max, 300.0"),
        ("[wake]\nstagger_s = 300", "wake.stagger_s: twice 300 s is more than a quarter of wake.deadline_s, 1800 s"),
        (
            "[wake]\ndeadline_s = 600",
            "wake.deadline_s, 600 s; say wake.stagger_s = 75 or less, or wake.first",
        ),
        (
            "[uptime]\nretry_delay_s_max = 1",
            "uptime.retry_delay_s_max does not go with uptime.retry_delay_s_min, whose default is 5.0",
        ),
        ("[boot_loop]\nstay_s_min = 20000", "boot_loop.stay_s_min: 20000.0 is more than boot_loop.stay_s_max, 14400.0"),
        (
            "[boot_loop]\nlong_sleep_s = 14399",
            "boot_loop.long_sleep_s does not go with boot_loop.stay_s_max, whose default is 14400.0",
        ),
        (
            "[rtc_alarm]\nenabled = true\nahead_s = 3600",
            "rtc_alarm.ahead_s does not go with boot_loop.long_sleep_s, whose default is 21600.0",
        ),
        ("[metrics]\nhost = 'localhost'", "metrics.host: 'localhost' is no IP address such as 127.0.0.1"),
        (
            "[metrics]\ntextfile = '/run/powerd.txt'",
            "metrics.textfile: '/run/powerd.txt' is no absolute path that ends with",
        ),
        ("[metrics]\ntextfile = 'powerd.prom'", "metrics.textfile: 'powerd.prom' is no absolute path"),
        (
            "[identity]\nkind = 'configured'",
            "identity.kind does not go with identity.node_id, whose default is 0: has to be",
        ),
        ("[nic]\nbridge = 'a-bridge-with-a-long-name'", "nic.bridge: has to have 15 characters at most"),
        ("[identity]\nnode_id = 4294967296", "identity.node_id: has to be 4294967295 or less"),
    ],
)
def test_a_wrong_file_is_named_with_key_and_remedy(file: Path, text: str, complaint: str) -> None:
    message = error_of(file, text)
    assert complaint in message
    assert message.startswith(str(file)), "the defaults are right, and are not to blame"


def test_the_advice_for_a_long_burst_is_taken(file: Path) -> None:
    packets = "[wake]\npackets = 90\n"
    assert load(file, f"{packets}packet_interval_s = 0.166667\n").wake.packets == 90


def test_nothing_is_wrong_with_a_configured_node(file: Path) -> None:
    settings = load(file, "[identity]\nkind = 'configured'\nnode_id = 7\n[nic]\nmac = '02:00:00:00:00:01'\n")
    assert settings.identity.node_id == 7


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[chain]\nurls = [\n", "at line 2, column 9, the end of the file"),
        ("a = ", "at line 1, column 5, the end of the file"),
        ("[chain]\n timeout_s 5\n", "at line 2, column 12"),
        ("[chain]\n[chain]\n", "at line 2, column 7"),
    ],
)
def test_broken_toml_is_named_with_line_and_column(file: Path, text: str, place: str) -> None:
    message = error_of(file, text)
    assert message.startswith(f"{file} is not valid TOML: ")
    assert place in message


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[chain\n", "the name of a section ends with ]"),
        ("profile 'zos'", "a name without a value; write NAME = VALUE"),
        ("profile = zos", "text stands in quotation marks"),
        ("[power_management]\nenabled = yes", "it is true or false, not yes"),
        ("profile = 'zos' x", "one setting a line"),
        ("profile = 'zos\nx = 1", "the text has no quotation mark at its end"),
        ("profile = 'zos", "the text has no quotation mark at its end"),
        ("[chain]\nurls = ['a',\n", "the value is not finished: a ] or } is missing"),
        ("[chain]\nurls = ['a'\n[x]", "the list has no ] at its end"),
        ("chain = {urls = []", "the table has no } at its end"),
        ("[chain]\n[chain]", "the section 'chain' is there already"),
        ("profile = 'a'\nprofile = 'b'", "it is set already, further up"),
        ("profile = 'a'\n[profile]", "it is set already, further up"),
        ('[nic]\nbridge = "C:\\dir"', "has to be written"),
        ('[nic]\nbridge = "\\ud800"', "a character that does not exist"),
        ("= 1", "neither NAME = VALUE"),
        ("a.! = 1", "a name is wanted here"),
        ('profile = "zos\nx = 1', "can't stand here; a text ends on its own line"),
        ("x = 2020-02-30", "no such date"),
    ],
)
def test_broken_toml_is_explained_without_toml_terms(file: Path, text: str, what: str) -> None:
    assert what in error_of(file, text)


def test_a_file_that_is_missing_or_unreadable_or_no_text_is_named(file: Path) -> None:
    with pytest.raises(SettingsError, match=f"{file} does not exist; name another with --config"):
        load_settings(file, {}, {})
    with pytest.raises(SettingsError, match=r"can't be read \(Is a directory\)"):
        load_settings(file.parent, {}, {})
    file.write_bytes(b"profile = 'auto'\n# \xff\n")
    with pytest.raises(SettingsError, match=f"{file} is not UTF-8 text .* at byte 19"):
        load_settings(file, {}, {})


def test_wrong_words_on_the_command_line_are_named(file: Path) -> None:
    assert "the command line: profile: has to be one of auto" in error_of(file, "", profile="x")
    assert "the command line sets brokr, which is no setting" in error_of(file, "", brokr="x")


@pytest.mark.parametrize(
    "url",
    [
        "ws://me:s3cret@host:70000",
        "ws://me:s3/s3cret@host",
        "ws://s3:12/s3cret@host",
        "ws://s3?s3cret@host",
        "s3://me:s3@h",
    ],
)
def test_a_password_in_a_refused_url_of_the_chain_is_not_shown(file: Path, url: str) -> None:
    message = error_of(file, f"[chain]\nurls = ['{url}']")
    assert "is no WebSocket address" in message
    assert "/ is %2F" in message
    assert "s3" not in message.replace("'s3://", "")


def test_a_password_in_a_refused_broker_url_is_not_shown(file: Path) -> None:
    message = error_of(file, "[broker]\nurl = 'amqp://user:secret@host'")
    assert "amqp://host" in message
    assert "secret" not in message
