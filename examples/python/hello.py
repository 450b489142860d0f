"""What an agent does with Warren: says who it is, calls, is asked about, follows what happens, and handles what goes wrong.

    python3 hello.py --socket "$WARREN_STATE/warren.sock" --agent builder
    WARREN_TOKEN=… python3 hello.py --url http://127.0.0.1:7700 --agent builder
"""

from __future__ import annotations

import argparse
import os
import sys

from warren_client import CallFailed, Warren, WarrenFault


def main() -> int:
    options = read_options()
    token = os.environ.get("WARREN_TOKEN")  # Never an argument, where others on the machine would see it.
    warren = Warren(socket_path=options.socket, url=options.url, token=token, agent=options.agent)
    try:
        me = warren.identify()
        print(f"{me['agent']} is process {me['pid']}; it may call {len(warren.capabilities())} tools")

        print("echo:", warren.call("system.echo", {"text": "hello"})["text"])
        sent = warren.call("alerts.send", {"message": "hello from Python"}, wait_for_approval_s=options.wait, key=options.key)
        print("sent:", sorted(sent))
        try:
            warren.call("filesystem.read", {"path": "not-there"})
        except CallFailed as failed:
            print("failed, as it should:", failed.error["type"])

        for seen, event in enumerate(warren.events(after=0, pid=me["pid"]), start=1):
            print("event", event["id"], event["event"])
            if seen == options.events:
                return 0
    except CallFailed as failed:
        print("failed:", failed, file=sys.stderr)
        for step in failed.error.get("recovery", []):
            print("  to do:", step["description"], file=sys.stderr)
        return 1
    except WarrenFault as fault:
        print(f"refused ({fault.code}):", fault, file=sys.stderr)
        return 1
    except OSError as error:
        print("nobody answers:", error, file=sys.stderr)
        return 1
    return 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--socket", help="the unix socket of the daemon")
    where.add_argument("--url", help="its port, with a token in WARREN_TOKEN")
    parser.add_argument("--agent", help="as which agent; a token of an agent says it by itself")
    parser.add_argument("--wait", type=float, default=60.0, help="how many seconds to wait for a person")
    parser.add_argument("--key", help="the same key is the same call, carried out once")
    parser.add_argument("--events", type=int, default=1, help="end after so many events")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
