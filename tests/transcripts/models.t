# The list, its pages, one model by id and alias, one that is not there.
--- request GET /v1/models

--- answer 200
content-type: application/json

{"object":"list","data":[{"id":"scripted","object":"model","created":1767225600,"owned_by":"freehold","type":"model","display_name":"Scripted engine","created_at":"2026-01-01T00:00:00Z","max_input_tokens":8192,"max_tokens":8192,"context_length":8192,"max_model_len":8192,"lifecycle":"active","line":null,"deprecated_at":null,"retires_at":null,"capabilities":{"batch":{"supported":false},"citations":{"supported":false},"code_execution":{"supported":false},"context_management":{"supported":false,"clear_thinking_20251015":null,"clear_tool_uses_20250919":null,"compact_20260112":null},"effort":{"supported":true,"low":{"supported":true},"medium":{"supported":true},"high":{"supported":true},"xhigh":{"supported":true},"max":{"supported":true}},"image_input":{"supported":false},"pdf_input":{"supported":false},"server_tools":{"supported":false,"code_execution":{"supported":false},"web_search":{"supported":false}},"structured_outputs":{"supported":true},"thinking":{"supported":true,"types":{"adaptive":{"supported":true},"between_tools":{"supported":true},"disabled":{"supported":true},"enabled":{"supported":true}}}}},{"id":"anthropic-local/scripted","object":"model","created":1767225600,"owned_by":"freehold","type":"model","display_name":"Scripted engine","created_at":"2026-01-01T00:00:00Z","max_input_tokens":8192,"max_tokens":8192,"context_length":8192,"max_model_len":8192,"lifecycle":"active","line":null,"deprecated_at":null,"retires_at":null,"capabilities":{"batch":{"supported":false},"citations":{"supported":false},"code_execution":{"supported":false},"context_management":{"supported":false,"clear_thinking_20251015":null,"clear_tool_uses_20250919":null,"compact_20260112":null},"effort":{"supported":true,"low":{"supported":true},"medium":{"supported":true},"high":{"supported":true},"xhigh":{"supported":true},"max":{"supported":true}},"image_input":{"supported":false},"pdf_input":{"supported":false},"server_tools":{"supported":false,"code_execution":{"supported":false},"web_search":{"supported":false}},"structured_outputs":{"supported":true},"thinking":{"supported":true,"types":{"adaptive":{"supported":true},"between_tools":{"supported":true},"disabled":{"supported":true},"enabled":{"supported":true}}}}}],"has_more":false,"first_id":"scripted","last_id":"anthropic-local/scripted","models":[{"slug":"scripted","display_name":"Scripted engine","description":"Served by Freehold","context_window":8192,"max_context_window":8192,"auto_compact_token_limit":6552,"supported_reasoning_levels":[{"effort":"low","description":"low"},{"effort":"medium","description":"medium"},{"effort":"high","description":"high"}],"default_reasoning_level":"medium","shell_type":"shell_command","visibility":"list","supported_in_api":true,"priority":0,"truncation_policy":{"mode":"tokens","limit":10000},"input_modalities":["text"],"supports_parallel_tool_calls":true,"apply_patch_tool_type":"freeform","base_instructions":"","supports_reasoning_summaries":true,"support_verbosity":false}]}
--- request GET /v1/models?limit=1

--- answer 200
content-type: application/json

{"object":"list","data":[{"id":"scripted","object":"model","created":1767225600,"owned_by":"freehold","type":"model","display_name":"Scripted engine","created_at":"2026-01-01T00:00:00Z","max_input_tokens":8192,"max_tokens":8192,"context_length":8192,"max_model_len":8192,"lifecycle":"active","line":null,"deprecated_at":null,"retires_at":null,"capabilities":{"batch":{"supported":false},"citations":{"supported":false},"code_execution":{"supported":false},"context_management":{"supported":false,"clear_thinking_20251015":null,"clear_tool_uses_20250919":null,"compact_20260112":null},"effort":{"supported":true,"low":{"supported":true},"medium":{"supported":true},"high":{"supported":true},"xhigh":{"supported":true},"max":{"supported":true}},"image_input":{"supported":false},"pdf_input":{"supported":false},"server_tools":{"supported":false,"code_execution":{"supported":false},"web_search":{"supported":false}},"structured_outputs":{"supported":true},"thinking":{"supported":true,"types":{"adaptive":{"supported":true},"between_tools":{"supported":true},"disabled":{"supported":true},"enabled":{"supported":true}}}}}],"has_more":true,"first_id":"scripted","last_id":"scripted","models":[{"slug":"scripted","display_name":"Scripted engine","description":"Served by Freehold","context_window":8192,"max_context_window":8192,"auto_compact_token_limit":6552,"supported_reasoning_levels":[{"effort":"low","description":"low"},{"effort":"medium","description":"medium"},{"effort":"high","description":"high"}],"default_reasoning_level":"medium","shell_type":"shell_command","visibility":"list","supported_in_api":true,"priority":0,"truncation_policy":{"mode":"tokens","limit":10000},"input_modalities":["text"],"supports_parallel_tool_calls":true,"apply_patch_tool_type":"freeform","base_instructions":"","supports_reasoning_summaries":true,"support_verbosity":false}]}
--- request GET /v1/models?limit=1&after_id=scripted

--- answer 200
content-type: application/json

{"object":"list","data":[{"id":"anthropic-local/scripted","object":"model","created":1767225600,"owned_by":"freehold","type":"model","display_name":"Scripted engine","created_at":"2026-01-01T00:00:00Z","max_input_tokens":8192,"max_tokens":8192,"context_length":8192,"max_model_len":8192,"lifecycle":"active","line":null,"deprecated_at":null,"retires_at":null,"capabilities":{"batch":{"supported":false},"citations":{"supported":false},"code_execution":{"supported":false},"context_management":{"supported":false,"clear_thinking_20251015":null,"clear_tool_uses_20250919":null,"compact_20260112":null},"effort":{"supported":true,"low":{"supported":true},"medium":{"supported":true},"high":{"supported":true},"xhigh":{"supported":true},"max":{"supported":true}},"image_input":{"supported":false},"pdf_input":{"supported":false},"server_tools":{"supported":false,"code_execution":{"supported":false},"web_search":{"supported":false}},"structured_outputs":{"supported":true},"thinking":{"supported":true,"types":{"adaptive":{"supported":true},"between_tools":{"supported":true},"disabled":{"supported":true},"enabled":{"supported":true}}}}}],"has_more":false,"first_id":"anthropic-local/scripted","last_id":"anthropic-local/scripted","models":[{"slug":"scripted","display_name":"Scripted engine","description":"Served by Freehold","context_window":8192,"max_context_window":8192,"auto_compact_token_limit":6552,"supported_reasoning_levels":[{"effort":"low","description":"low"},{"effort":"medium","description":"medium"},{"effort":"high","description":"high"}],"default_reasoning_level":"medium","shell_type":"shell_command","visibility":"list","supported_in_api":true,"priority":0,"truncation_policy":{"mode":"tokens","limit":10000},"input_modalities":["text"],"supports_parallel_tool_calls":true,"apply_patch_tool_type":"freeform","base_instructions":"","supports_reasoning_summaries":true,"support_verbosity":false}]}
--- request GET /v1/models?limit=0

--- answer 400
content-type: application/json
x-should-retry: false

{"error":{"message":"limit: must be between 1 and 1000","type":"invalid_request_error","param":"limit","code":null}}
--- request GET /v1/models/scripted

--- answer 200
content-type: application/json

{"id":"scripted","object":"model","created":1767225600,"owned_by":"freehold","type":"model","display_name":"Scripted engine","created_at":"2026-01-01T00:00:00Z","max_input_tokens":8192,"max_tokens":8192,"context_length":8192,"max_model_len":8192,"lifecycle":"active","line":null,"deprecated_at":null,"retires_at":null,"capabilities":{"batch":{"supported":false},"citations":{"supported":false},"code_execution":{"supported":false},"context_management":{"supported":false,"clear_thinking_20251015":null,"clear_tool_uses_20250919":null,"compact_20260112":null},"effort":{"supported":true,"low":{"supported":true},"medium":{"supported":true},"high":{"supported":true},"xhigh":{"supported":true},"max":{"supported":true}},"image_input":{"supported":false},"pdf_input":{"supported":false},"server_tools":{"supported":false,"code_execution":{"supported":false},"web_search":{"supported":false}},"structured_outputs":{"supported":true},"thinking":{"supported":true,"types":{"adaptive":{"supported":true},"between_tools":{"supported":true},"disabled":{"supported":true},"enabled":{"supported":true}}}}}
--- request GET /models/anthropic-local%2Fscripted

--- answer 200
content-type: application/json

{"id":"anthropic-local/scripted","object":"model","created":1767225600,"owned_by":"freehold","type":"model","display_name":"Scripted engine","created_at":"2026-01-01T00:00:00Z","max_input_tokens":8192,"max_tokens":8192,"context_length":8192,"max_model_len":8192,"lifecycle":"active","line":null,"deprecated_at":null,"retires_at":null,"capabilities":{"batch":{"supported":false},"citations":{"supported":false},"code_execution":{"supported":false},"context_management":{"supported":false,"clear_thinking_20251015":null,"clear_tool_uses_20250919":null,"compact_20260112":null},"effort":{"supported":true,"low":{"supported":true},"medium":{"supported":true},"high":{"supported":true},"xhigh":{"supported":true},"max":{"supported":true}},"image_input":{"supported":false},"pdf_input":{"supported":false},"server_tools":{"supported":false,"code_execution":{"supported":false},"web_search":{"supported":false}},"structured_outputs":{"supported":true},"thinking":{"supported":true,"types":{"adaptive":{"supported":true},"between_tools":{"supported":true},"disabled":{"supported":true},"enabled":{"supported":true}}}}}
--- request GET /v1/models/nobody

--- answer 404
content-type: application/json
x-should-retry: false

{"error":{"message":"the model `nobody` does not exist here (GET /v1/models lists what does)","type":"invalid_request_error","param":"model","code":"model_not_found"}}
--- request GET /v1/models/nobody
anthropic-version: 2023-06-01

--- answer 404
content-type: application/json
x-should-retry: false

{"type":"error","error":{"type":"not_found_error","message":"the model `nobody` does not exist here (GET /v1/models lists what does)","details":{"error_code":"model_not_found"}},"request_id":"req_<1>"}
--- request GET /v1/models
anonymous: yes

--- answer 401
content-type: application/json
x-should-retry: false
www-authenticate: Bearer realm="freehold"

{"error":{"message":"this request carries no API key (send your key as `Authorization: Bearer fh-...` or `x-api-key: fh-...`)","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}
--- request POST /v1/models

{}
--- answer 405
content-type: application/json
x-should-retry: false
allow: GET, HEAD, OPTIONS

{"error":{"message":"this path does not take POST (it takes GET, HEAD, OPTIONS)","type":"invalid_request_error","param":null,"code":"method_not_allowed"}}
--- ledger
