#!/usr/bin/env python3
"""A TCP proxy on loopback that makes a far registry out of a near one.

usage: slow_proxy.py LISTEN_PORT TARGET_PORT [--delay MS] [--rate BYTES_PER_SECOND]

--delay  one-way delay in milliseconds of every byte, each way; a new connection costs one round trip more, as the
         TCP handshake would.
--rate   bandwidth of each connection from the target to the client (a CDN's or a registry's limit per connection).
Prints one line a connection at its end: its number, bytes up, bytes down, seconds. Ends by SIGTERM.
"""
import argparse
import asyncio
import time


async def carry(reader, writer, delay, rate, first_extra, counter):
    """Moves bytes one way: each chunk leaves `delay` seconds after it came, and not faster than `rate`."""
    queue = asyncio.Queue(maxsize=4096)
    held = {"bytes": 0}
    window = asyncio.Condition()
    limit = int(max(1 << 20, (rate or 1 << 30) * (2 * delay + 0.2)))

    async def take():
        extra = first_extra
        while True:
            data = await reader.read(65536)
            async with window:
                await window.wait_for(lambda: held["bytes"] < limit)
                held["bytes"] += len(data)
            await queue.put((time.monotonic() + delay + extra, data))
            extra = 0
            if not data:
                return

    async def give():
        free_at = 0.0
        while True:
            when, data = await queue.get()
            now = time.monotonic()
            if rate and data:
                free_at = max(free_at, when) + len(data) / rate
                when = max(when, free_at)
            if when > now:
                await asyncio.sleep(when - now)
            if not data:
                if writer.can_write_eof():
                    writer.write_eof()
                return
            writer.write(data)
            await writer.drain()
            counter[0] += len(data)
            async with window:
                held["bytes"] -= len(data)
                window.notify()

    await asyncio.gather(take(), give())


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("listen", type=int)
    parser.add_argument("target", type=int)
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--rate", type=float, default=0)
    options = parser.parse_args()
    delay = options.delay / 1000
    number = [0]

    async def serve(client_reader, client_writer):
        number[0] += 1
        mine, up, down, start = number[0], [0], [0], time.monotonic()
        try:
            target_reader, target_writer = await asyncio.open_connection("127.0.0.1", options.target)
            await asyncio.gather(
                carry(client_reader, target_writer, delay, 0, 2 * delay, up),
                carry(target_reader, client_writer, delay, options.rate, 0, down))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            client_writer.close()
            print(f"connection {mine}: up {up[0]} down {down[0]} in {time.monotonic() - start:.3f} s", flush=True)

    server = await asyncio.start_server(serve, "127.0.0.1", options.listen)
    async with server:
        await server.serve_forever()


asyncio.run(main())
