# Log-probabilities, whole and streamed.
--- script
on any
  text "Hello over there."
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"x"}],"logprobs":true,"top_logprobs":2,"max_tokens":2}
--- answer 200
content-type: application/json

{"id":"chatcmpl-<1>","object":"chat.completion","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","service_tier":"default","choices":[{"index":0,"message":{"role":"assistant","content":"Hello over","refusal":null,"annotations":[]},"logprobs":{"content":[{"token":"Hello","logprob":-0.8544921875,"bytes":[72,101,108,108,111],"top_logprobs":[{"token":"Hello","logprob":-0.8544921875,"bytes":[72,101,108,108,111]},{"token":" b","logprob":-1.8544921875,"bytes":[32,98]}]},{"token":" over","logprob":-0.1298828125,"bytes":[32,111,118,101,114],"top_logprobs":[{"token":" over","logprob":-0.1298828125,"bytes":[32,111,118,101,114]},{"token":" b","logprob":-1.1298828125,"bytes":[32,98]}]}],"refusal":null},"finish_reason":"length"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0,"text_tokens":5,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":0,"cache_creation_input_tokens":0}}
--- request POST /v1/chat/completions

{"model":"scripted","messages":[{"role":"user","content":"x"}],"logprobs":true,"top_logprobs":1,"max_tokens":2,"stream":true}
--- answer 200
content-type: text/event-stream; charset=utf-8
cache-control: no-cache
x-accel-buffering: no

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"content":"Hello"},"logprobs":{"content":[{"token":"Hello","logprob":-0.8544921875,"bytes":[72,101,108,108,111],"top_logprobs":[{"token":"Hello","logprob":-0.8544921875,"bytes":[72,101,108,108,111]}]}],"refusal":null},"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{"content":" over"},"logprobs":{"content":[{"token":" over","logprob":-0.1298828125,"bytes":[32,111,118,101,114],"top_logprobs":[{"token":" over","logprob":-0.1298828125,"bytes":[32,111,118,101,114]}]}],"refusal":null},"finish_reason":null}]}

data: {"id":"chatcmpl-<2>","object":"chat.completion.chunk","created":<time>,"model":"scripted","system_fingerprint":"fp_freehold","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"length"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0,"text_tokens":5,"image_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0,"audio_tokens":0},"cache_read_input_tokens":0,"cache_creation_input_tokens":0}}

data: [DONE]

--- ledger
openai_chat scripted length 200 in=5 read=0 write=0 out=2 reasoning=0
openai_chat scripted length 200 in=5 read=0 write=0 out=2 reasoning=0 stream
