"""A CPU that domains share: what each has of it, and what it is told of that."""
import insula
from insula import check
from scenarios import scenario

SHARE_LINE = r"SHARE at (\d+) done (\d+) ran (\d+) waited (\d+)\s"


@scenario(weight=60)
def cpu_runstate_and_waking():
    """Without domain 0: two domains share a CPU and are told so; a third that sleeps and wakes beside them runs soon."""
    with insula.Insula("cpu-runstate", "soak", "-m", "512", options=insula.domain("one", "payload", None, 16), modules=((insula.PAYLOAD, "name=payload share"),)) as machine:
        words = {"kernel": "payload", "ramdisk": None, "memory": 16}
        machine.created("two", cmdline="share", **words)
        rows = machine.list()
        for name in ("one", "two"):
            machine.console(rows[name].id)
            # the first two seconds may be those before the other's
            lines = [[int(n) for n in machine.expect(SHARE_LINE, 120).groups()] for _ in range(16)]
            at, done, ran, waited = (new - old for new, old in zip(lines[-1], lines[8]))
            print(f"{name}: of {at / 1e9:.2f} s ran {ran / at:.2%}, waited {waited / at:.2%}, {done} done", flush=True)
            check(abs(ran / at - 0.5) <= 0.025 and abs(waited / at - 0.5) <= 0.025, f"{name}: ran {ran / at:.2%} and waited {waited / at:.2%} of the time")
        row = machine.created("three", cmdline="wake for=60", **words)
        machine.console(row.id)
        worst, mean = (int(n) / 1e6 for n in machine.expect(r"WAKE times 60 worst (\d+) mean (\d+)\s", 240).groups())
        print(f"waking: {worst:.2f} ms at worst, {mean:.2f} ms on average", flush=True)
