"""OpenAI Chat Completions through the official Python client."""

import concurrent.futures
import json
import unittest

import openai
from support import (
    MODEL,
    ONE_PIXEL,
    PERSON_SCHEMA,
    SCRIPTED,
    URL,
    WEATHER_SCHEMA,
    is_cut,
    ledger_row,
    long_prompt,
    needs_script,
    openai_client as client,
    raw,
    repeated,
    user,
    wait_idle,
)

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": WEATHER_SCHEMA,
        "strict": True,
    },
}
TIME = {
    "type": "function",
    "function": {
        "name": "get_time",
        "description": "The time in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
ONCE = {} if SCRIPTED else {"parallel_tool_calls": False}


def body(content, **more):
    return {"model": MODEL, "max_tokens": 24, "messages": user(content), "temperature": 0, **more}


def create(request):
    return client.chat.completions.create(**request)


def essence(completion):
    choice = completion.choices[0]
    calls = [(call.type, call.function.name, call.function.arguments) for call in choice.message.tool_calls or []]
    return (
        completion.model,
        choice.message.role,
        choice.message.content or "",
        choice.finish_reason,
        calls,
        completion.usage.total_tokens,
    )


def streamed(request):
    with client.chat.completions.stream(**request, stream_options={"include_usage": True}) as stream:
        stream.until_done()
        try:
            return stream.get_final_completion()
        except openai.LengthFinishReasonError as cut:  # a real model may stop at max_tokens
            return cut.completion


class Answers(unittest.TestCase):
    def test_stream_equals_whole(self):
        for mark in ("[count]", "[split]", "[reasoning]") if SCRIPTED else ("[count]",):
            with self.subTest(mark=mark):
                request = body(f"Please go on. {mark}")
                self.assertEqual(essence(streamed(request)), essence(create(request)))

    def test_chunks(self):
        chunks = list(create(body("Hello [count]", stream=True, stream_options={"include_usage": True})))
        self.assertEqual(chunks[0].choices[0].delta.role, "assistant")
        self.assertEqual(chunks[-1].choices, [])
        self.assertGreater(chunks[-1].usage.total_tokens, 0)
        self.assertIn(chunks[-2].choices[0].finish_reason, ("stop", "length"))
        self.assertEqual([chunk.usage for chunk in chunks[:-1]], [None] * (len(chunks) - 1))
        whole = create(body("Hello [count]"))
        self.assertEqual(
            "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1]), whole.choices[0].message.content
        )

    def test_endings(self):
        for limit in ({"max_tokens": 3}, {"max_completion_tokens": 3}):
            completion = create({**body("Count. [count]", max_tokens=20), **limit})
            self.assertEqual((completion.choices[0].finish_reason, completion.usage.completion_tokens), ("length", 3))
        if SCRIPTED:
            self.assertEqual(create(body("[count]", stop="three four")).choices[0].message.content, "one two ")

    def test_seed(self):
        request = body("Tell me something. [count]", temperature=1, seed=7)
        self.assertEqual(essence(create(request)), essence(create(request)))

    def test_logprobs(self):
        completion = create(body("Say hello. [count]", logprobs=True, top_logprobs=2, max_tokens=6))
        tokens = completion.choices[0].logprobs.content
        text = completion.choices[0].message.content.encode()
        self.assertTrue(bytes(byte for token in tokens for byte in token.bytes).startswith(text))
        for token in tokens:
            self.assertEqual(len(token.top_logprobs), 2)
            self.assertLessEqual(token.logprob, 0)

    def test_schema(self):
        wanted = {"type": "json_schema", "json_schema": {"name": "person", "strict": True, "schema": PERSON_SCHEMA}}
        answer = create(body("Describe one person as JSON.", max_tokens=300, response_format=wanted))
        choice = answer.choices[0]
        if is_cut(choice.finish_reason, answer.usage.completion_tokens, 300, choice.message.content):
            return
        self.assertEqual(choice.finish_reason, "stop")
        value = json.loads(choice.message.content)
        self.assertEqual(sorted(value), ["age", "mood", "name"])
        self.assertIsInstance(value["age"], int)

    def test_caching(self):
        request = body(long_prompt(), max_tokens=2)
        create(request)
        usage = create(request).usage
        self.assertTrue(repeated(usage.prompt_tokens_details.cached_tokens, usage.prompt_tokens), usage)

    def test_roles(self):
        messages = [
            {"role": "developer", "content": "Be brief."},
            *user("Hello"),
            {"role": "assistant", "content": "Hello."},
            {"role": "system", "content": "Always speak of ducks."},
            *user("And now?"),
        ]
        completion = client.chat.completions.create(model=MODEL, max_tokens=6, messages=messages)
        if SCRIPTED:
            self.assertEqual(completion.choices[0].message.content, "Quack.")

    def test_eight_at_once(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda i: create(body(f"tag{i} [echo]", max_tokens=8)), range(8)))
        self.assertEqual(len({answer.id for answer in answers}), 8)
        if SCRIPTED:
            self.assertEqual(
                [answer.choices[0].message.content for answer in answers], [f"tag{i} [echo]" for i in range(8)]
            )

    def test_abort(self):
        wait_idle()
        stream = create(body("Tell me a very long story. [long]", max_tokens=2000, stream=True))
        request_id = stream.response.headers["x-request-id"]
        for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                break
        stream.close()
        wait_idle()
        self.assertEqual(ledger_row(request_id)["end_reason"], "client_abort")
        self.assertEqual(create(body("Hello [count]", max_tokens=2)).object, "chat.completion")


class Tools(unittest.TestCase):
    @needs_script
    def test_there_and_back(self):
        first = create(body("How warm is it? [weather]", tools=[WEATHER, TIME]))
        call = first.choices[0].message.tool_calls[0]
        self.assertEqual(first.choices[0].finish_reason, "tool_calls")
        self.assertEqual(json.loads(call.function.arguments), {"city": "Paris", "unit": "celsius"})
        messages = [
            *user("How warm is it? [weather]"),
            first.choices[0].message,
            {"role": "tool", "tool_call_id": call.id, "content": "19 degrees"},
        ]
        last = create({**body("", tools=[WEATHER, TIME]), "messages": messages})
        self.assertEqual(last.choices[0].message.content, "It is 19 degrees in Paris.")

    @needs_script
    def test_streamed_calls(self):
        for mark in ("[two calls]", "[long call]"):
            request = body(mark, max_tokens=300, tools=[WEATHER] if mark == "[two calls]" else openai.NOT_GIVEN)
            pieces = {}
            for chunk in create({**request, "stream": True}):
                for call in chunk.choices[0].delta.tool_calls or [] if chunk.choices else []:
                    pieces.setdefault(call.index, []).append(call)
            whole = create(request).choices[0].message.tool_calls
            self.assertEqual(sorted(pieces), list(range(len(whole))))
            for index, calls in pieces.items():
                self.assertGreater(len(calls), 2)
                self.assertEqual(sum(1 for call in calls if call.id), 1)
                self.assertEqual(
                    "".join(call.function.arguments or "" for call in calls), whole[index].function.arguments
                )

    def test_choices(self):
        for choice, allowed in (
            ("required", {"get_weather", "get_time"}),
            ({"type": "function", "function": {"name": "get_time"}}, {"get_time"}),
        ):
            completion = create(body("Hello there.", max_tokens=120, tools=[WEATHER, TIME], tool_choice=choice, **ONCE))
            calls = completion.choices[0].message.tool_calls
            self.assertEqual(completion.choices[0].finish_reason, "tool_calls")
            self.assertTrue(calls and {call.function.name for call in calls} <= allowed)
            self.assertIsInstance(json.loads(calls[0].function.arguments)["city"], str)
        self.assertFalse(
            create(body("Hello. [weather]", tools=[WEATHER], tool_choice="none")).choices[0].message.tool_calls
        )
        calls = (
            create(body("[two calls]", max_tokens=60, tools=[WEATHER], parallel_tool_calls=False))
            .choices[0]
            .message.tool_calls
        )
        self.assertLessEqual(len(calls or []), 1)


class Errors(unittest.TestCase):
    def test_classes(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            create({**body("Hello"), "model": "nobody"})
        self.assertEqual(caught.exception.code, "model_not_found")
        self.assertRegex(caught.exception.request_id, "^req_")
        for param, change in (("n", {"n": 2}), ("temperature", {"temperature": 9}), ("messages", {"messages": []})):
            with self.assertRaises(openai.BadRequestError) as caught:
                create({**body("Hello"), **change})
            self.assertEqual(caught.exception.param, param)
        with self.assertRaises(openai.AuthenticationError):
            openai.OpenAI(base_url=f"{URL}/v1", api_key="wrong", max_retries=0).chat.completions.create(**body("Hello"))

    def test_overflow(self):
        window = json.loads(raw("GET", "/v1/models")[2])["data"][0]["max_input_tokens"]
        with self.assertRaisesRegex(openai.BadRequestError, f"maximum context length is {window} tokens") as caught:
            create(body(", ".join(f"item {i % 97}" for i in range(window))))
        self.assertEqual((caught.exception.code, caught.exception.param), ("context_length_exceeded", "messages"))

    @needs_script
    def test_images(self):
        with self.assertRaisesRegex(openai.BadRequestError, "images"):
            create(body([{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{ONE_PIXEL}"}}]))

    @needs_script
    def test_failures(self):
        with self.assertRaisesRegex(openai.InternalServerError, "the card fell off the bus") as caught:
            create(body("[break at once]"))
        self.assertEqual(caught.exception.status_code, 503)
        with self.assertRaisesRegex(openai.APIError, "the card fell off the bus"):
            list(create(body("[break later]", stream=True)))

    @needs_script
    def test_keep_alive(self):
        text = "".join(chunk.choices[0].delta.content or "" for chunk in create(body("[slow]", stream=True)))
        self.assertEqual(text, "Here I am.")


class Models(unittest.TestCase):
    def test_list_and_get(self):
        self.assertEqual([entry.id for entry in client.models.list()], [MODEL, f"anthropic-local/{MODEL}"])
        self.assertEqual(client.models.retrieve(MODEL).id, MODEL)
        with self.assertRaises(openai.NotFoundError):
            client.models.retrieve("nobody")


if __name__ == "__main__":
    unittest.main()
