"""The official Python client uses real capabilities. Arguments: how to reach the server, as JSON. Prints what it saw, as JSON."""

import asyncio
import importlib.metadata
import json
import sys

from mcp import StdioServerParameters

IS_FIRST = importlib.metadata.version("mcp").startswith("1.")


async def use(client, path):
    tools = [tool.name for tool in (await client.list_tools()).tools]
    await client.call_tool("filesystem__write", {"path": path, "content": "from python"})
    read = await client.call_tool("filesystem__read", {"path": path})
    missing = await client.call_tool("filesystem__read", {"path": "missing"})
    structured = getattr(read, "structured_content", None) or getattr(read, "structuredContent", None)
    is_error = getattr(missing, "is_error", None) or getattr(missing, "isError", None)
    resources = [str(resource.uri) for resource in (await client.list_resources()).resources]
    print(
        json.dumps(
            {
                "tools": tools,
                "content": structured["content"],
                "missing": json.loads(missing.content[0].text)["type"],
                "is_error": is_error,
                "resources": resources,
            }
        )
    )


async def first(way, path):
    from mcp import ClientSession
    from mcp.client.stdio import stdio_client
    from mcp.client.streamable_http import streamablehttp_client

    if "url" in way:
        opened = streamablehttp_client(way["url"], headers=way["headers"])
    else:
        opened = stdio_client(StdioServerParameters(**way))
    async with opened as streams:
        async with ClientSession(streams[0], streams[1]) as client:
            await client.initialize()
            await use(client, path)


async def second(way, mode, path):
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client

    if "url" in way:
        async with create_mcp_http_client(headers=way["headers"]) as http:
            async with Client(streamable_http_client(way["url"], http_client=http), mode=mode) as client:
                await use(client, path)
    else:
        async with Client(StdioServerParameters(**way), mode=mode) as client:
            await use(client, path)


way, mode, path = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
asyncio.run(first(way, path) if IS_FIRST else second(way, mode, path))
