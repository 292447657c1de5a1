# A client that goes away ends its request; the next one is served.
--- script
on user "[hang]"
  text "I begin"
  hang
on any
  text "Hello."
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"[hang]"}],"stream":true}
--- cut "content_block_delta"
--- request POST /v1/messages

{"model":"scripted","max_tokens":64,"messages":[{"role":"user","content":"x"}]}
--- answer 200
content-type: application/json

{"id":"msg_<1>","type":"message","role":"assistant","model":"scripted","content":[{"type":"text","text":"Hello."}],"stop_reason":"end_turn","stop_sequence":null,"stop_details":null,"container":null,"diagnostics":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":1,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":"standard","speed":"standard","inference_geo":null}}
--- ledger
anthropic scripted client_abort 200 in=6 read=0 write=0 out=2 reasoning=0 stream
anthropic scripted complete 200 in=5 read=0 write=0 out=1 reasoning=0
