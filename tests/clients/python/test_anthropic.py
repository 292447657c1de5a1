"""Anthropic Messages through the official Python client."""

import concurrent.futures
import unittest

import anthropic
from support import (
    KEY,
    MODEL,
    ONE_PIXEL,
    PERSON_SCHEMA,
    SCRIPTED,
    URL,
    WEATHER_SCHEMA,
    anthropic_client as client,
    gone_on,
    is_cut,
    ledger_row,
    long_prompt,
    needs_script,
    raw,
    repeated,
    user,
    wait_idle,
)
import json

WEATHER = {"name": "get_weather", "description": "The weather of a city", "input_schema": WEATHER_SCHEMA}
TIME = {
    "name": "get_time",
    "description": "The time in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
ONCE = {} if SCRIPTED else {"disable_parallel_tool_use": True}


def body(content, **more):
    return {"model": MODEL, "max_tokens": 24, "messages": user(content), "extra_body": {"temperature": 0}, **more}


def prompt_of(usage):
    return usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens


def essence(message):
    """All but the ids, and but how the cache split the prompt."""
    blocks = []
    for block in message.content:
        blocks.append(
            (
                block.type,
                getattr(block, "text", None),
                getattr(block, "thinking", None),
                getattr(block, "name", None),
                getattr(block, "input", None),
            )
        )
    return (
        message.role,
        message.model,
        message.stop_reason,
        message.stop_sequence,
        blocks,
        prompt_of(message.usage),
        message.usage.output_tokens,
    )


def streamed(request):
    with client.messages.stream(**request) as stream:
        return stream.get_final_message()


class Answers(unittest.TestCase):
    def test_stream_equals_whole(self):
        for mark in (
            ("[count]", "[reasoning]", "[weather]", "[text and call]", "[empty call]", "[long call]", "[split]")
            if SCRIPTED
            else ("[count]",)
        ):
            with self.subTest(mark=mark):
                request = body(f"Please go on. {mark}", max_tokens=200 if SCRIPTED else 24)
                self.assertEqual(essence(streamed(request)), essence(client.messages.create(**request)))

    def test_text_stream_joins_to_the_answer(self):
        request = body("Hello. [count]")
        with client.messages.stream(**request) as stream:
            text = "".join(stream.text_stream)
        self.assertEqual(text, client.messages.create(**request).content[0].text)

    def test_raw_event_types(self):
        kinds = [event.type for event in client.messages.create(**body("Hello. [count]"), stream=True)]
        self.assertEqual(kinds[0], "message_start")
        self.assertEqual(kinds[-2:], ["message_delta", "message_stop"])

    def test_endings(self):
        short = client.messages.create(**body("Count. [count]", max_tokens=3))
        self.assertEqual((short.stop_reason, short.usage.output_tokens), ("max_tokens", 3))
        if SCRIPTED:
            stopped = client.messages.create(**body("[count]", stop_sequences=["r five s"]))
            self.assertEqual(
                (stopped.stop_reason, stopped.stop_sequence, stopped.content[0].text),
                ("stop_sequence", "r five s", "one two three fou"),
            )

    def test_schema(self):
        message = client.messages.create(
            **body(
                "Describe one person as JSON.",
                max_tokens=300,
                output_config={"format": {"type": "json_schema", "schema": PERSON_SCHEMA}},
            )
        )
        text = message.content[0].text
        if is_cut(message.stop_reason, message.usage.output_tokens, 300, text):
            return
        self.assertEqual(message.stop_reason, "end_turn")
        value = json.loads(text)
        self.assertEqual(sorted(value), ["age", "mood", "name"])
        self.assertIn(value["mood"], ("glad", "sad"))

    def test_counting_and_caching(self):
        content = long_prompt()
        counted = client.messages.count_tokens(model=MODEL, messages=user(content), tools=[WEATHER]).input_tokens
        cold = client.messages.create(**body(content, tools=[WEATHER], max_tokens=2)).usage
        warm = client.messages.create(**body(content, tools=[WEATHER], max_tokens=2)).usage
        self.assertEqual((prompt_of(cold), prompt_of(warm)), (counted, counted))
        self.assertTrue(repeated(warm.cache_read_input_tokens, counted), warm)
        self.assertGreater(warm.cache_read_input_tokens, cold.cache_read_input_tokens)

    def test_prewarm(self):
        content = long_prompt()
        warmed = client.messages.create(**body(content, max_tokens=0))
        self.assertEqual((warmed.content, warmed.stop_reason, warmed.usage.output_tokens), ([], "max_tokens", 0))
        usage = client.messages.create(**body(content, max_tokens=2)).usage
        self.assertTrue(repeated(usage.cache_read_input_tokens, prompt_of(usage)), usage)

    def test_thinking_forms(self):
        for thinking in ({"type": "adaptive"}, {"type": "enabled", "budget_tokens": 1024}, {"type": "disabled"}):
            message = client.messages.create(
                **body("Think. [reasoning]", thinking=thinking, max_tokens=2048 if SCRIPTED else 16)
            )
            kinds = [block.type for block in message.content]
            if SCRIPTED:
                self.assertEqual(kinds, ["text"] if thinking["type"] == "disabled" else ["thinking", "text"])
            if SCRIPTED and "thinking" in kinds:
                again = [
                    *user("Think. [reasoning]"),
                    {
                        "role": "assistant",
                        "content": [block.model_dump(exclude_none=True) for block in message.content],
                    },
                    *user("[count]"),
                ]
                self.assertEqual(client.messages.create(model=MODEL, max_tokens=4, messages=again).role, "assistant")

    def test_system_in_place(self):
        messages = user(long_prompt())
        first = client.messages.create(model=MODEL, max_tokens=4, system="Be brief.", messages=messages)
        text = "".join(block.text for block in first.content) or "Yes."
        messages += [
            {"role": "assistant", "content": text},
            {"role": "system", "content": "A reminder."},
            *user("Go on."),
        ]
        second = client.messages.create(model=MODEL, max_tokens=4, system="Be brief.", messages=messages)
        self.assertTrue(
            gone_on(second.usage.cache_read_input_tokens, prompt_of(first.usage)), (first.usage, second.usage)
        )

    def test_eight_at_once(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda i: client.messages.create(**body(f"tag{i} [echo]", max_tokens=8)), range(8)))
        self.assertEqual(len({answer.id for answer in answers}), 8)
        if SCRIPTED:
            self.assertEqual([answer.content[0].text for answer in answers], [f"tag{i} [echo]" for i in range(8)])

    def test_abort(self):
        wait_idle()
        with client.messages.stream(**body("Tell me a very long story. [long]", max_tokens=2000)) as stream:
            next(iter(stream.text_stream))
            request_id = stream.request_id
        wait_idle()
        self.assertEqual(ledger_row(request_id)["end_reason"], "client_abort")
        self.assertEqual(client.messages.create(**body("Hello [count]", max_tokens=2)).role, "assistant")


class Tools(unittest.TestCase):
    @needs_script
    def test_there_and_back(self):
        first = client.messages.create(**body("How warm is it? [weather]", tools=[WEATHER, TIME]))
        call = first.content[0]
        self.assertEqual(
            (first.stop_reason, call.name, call.input),
            ("tool_use", "get_weather", {"city": "Paris", "unit": "celsius"}),
        )
        messages = [
            *user("How warm is it? [weather]"),
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "19 degrees"}]},
        ]
        last = client.messages.create(model=MODEL, max_tokens=24, messages=messages, tools=[WEATHER, TIME])
        self.assertEqual((last.stop_reason, last.content[0].text), ("end_turn", "It is 19 degrees in Paris."))

    @needs_script
    def test_arguments_flow(self):
        pieces = []
        with client.messages.stream(**body("[long call]", max_tokens=300)) as stream:
            for event in stream:
                if event.type == "input_json":
                    pieces.append(event.partial_json)
            final = stream.get_final_message()
        self.assertGreater(len(pieces), 3)
        self.assertEqual(json.loads("".join(pieces)), final.content[0].input)

    def test_choices(self):
        for choice, allowed in (
            ({"type": "any"}, {"get_weather", "get_time"}),
            ({"type": "tool", "name": "get_time"}, {"get_time"}),
        ):
            message = client.messages.create(
                **body("Hello there.", max_tokens=120, tools=[WEATHER, TIME], tool_choice={**choice, **ONCE})
            )
            calls = [block for block in message.content if block.type == "tool_use"]
            self.assertEqual(message.stop_reason, "tool_use")
            self.assertTrue(calls and {call.name for call in calls} <= allowed)
            self.assertIsInstance(calls[0].input["city"], str)
        message = client.messages.create(
            **body("Hello there. [weather]", tools=[WEATHER], tool_choice={"type": "none"})
        )
        self.assertNotIn("tool_use", [block.type for block in message.content])
        message = client.messages.create(
            **body(
                "[two calls]",
                max_tokens=60,
                tools=[WEATHER],
                tool_choice={"type": "auto", "disable_parallel_tool_use": True},
            )
        )
        self.assertLessEqual([block.type for block in message.content].count("tool_use"), 1)


class Errors(unittest.TestCase):
    def test_classes(self):
        for kind, change in (
            (anthropic.NotFoundError, {"model": "nobody"}),
            (anthropic.BadRequestError, {"max_tokens": -1}),
            (anthropic.BadRequestError, {"messages": []}),
        ):
            with self.assertRaises(kind) as caught:
                client.messages.create(**{**body("Hello"), **change})
            self.assertRegex(caught.exception.request_id, "^req_")
            self.assertEqual(caught.exception.body["request_id"], caught.exception.request_id)
        with self.assertRaises(anthropic.AuthenticationError):
            anthropic.Anthropic(base_url=URL, api_key="wrong", max_retries=0).messages.create(**body("Hello"))

    def test_overflow(self):
        window = client.models.retrieve(MODEL).max_input_tokens
        with self.assertRaisesRegex(anthropic.BadRequestError, rf"prompt is too long: \d+ tokens > {window} maximum"):
            client.messages.create(**body(", ".join(f"item {i % 97}" for i in range(window))))

    @needs_script
    def test_images(self):
        content = [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": ONE_PIXEL}}]
        with self.assertRaisesRegex(anthropic.BadRequestError, "images"):
            client.messages.create(**body(content))

    @needs_script
    def test_failures(self):
        with self.assertRaisesRegex(anthropic.APIStatusError, "the card fell off the bus") as caught:
            client.messages.create(**body("[break at once]"))
        self.assertEqual(caught.exception.status_code, 529)
        with self.assertRaisesRegex(anthropic.APIStatusError, "the card fell off the bus"):
            streamed(body("[break later]"))

    @needs_script
    def test_keep_alive(self):
        self.assertEqual(streamed(body("[slow]")).content[0].text, "Here I am.")


class Wire(unittest.TestCase):
    def test_models(self):
        self.assertEqual([entry.id for entry in client.models.list(limit=1)], [MODEL, f"anthropic-local/{MODEL}"])
        self.assertEqual(client.models.retrieve(f"anthropic-local/{MODEL}").id, f"anthropic-local/{MODEL}")

    def test_both_headers_and_versions(self):
        for version in ("2023-06-01", "2026-10-21"):
            for header in ({"x-api-key": KEY}, {"authorization": f"Bearer {KEY}"}):
                status, _, text = raw(
                    "POST",
                    "/v1/messages?beta=true",
                    {"model": MODEL, "max_tokens": 2, "messages": user("Hi [count]")},
                    {"anthropic-version": version, "anthropic-beta": "unknown-1", **header},
                    auth=False,
                )
                self.assertEqual(status, 200, text)
        self.assertEqual(
            client.beta.messages.create(
                model=MODEL, max_tokens=2, messages=user("Hi [count]"), betas=["unknown-1"]
            ).role,
            "assistant",
        )


if __name__ == "__main__":
    unittest.main()
