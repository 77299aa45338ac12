ALTER TABLE chat_sessions ADD COLUMN deleted_at BIGINT;

ALTER TABLE chat_sessions ADD COLUMN titled_by TEXT DEFAULT 'message' NOT NULL;

ALTER TABLE chat_sessions ADD COLUMN branched_from TEXT;

ALTER TABLE chat_sessions ADD COLUMN branched_turn BIGINT;

ALTER TABLE chat_messages ADD COLUMN said TEXT;

CREATE INDEX chat_messages_by_month ON chat_messages (workspace_id, created_at, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost) WHERE input_tokens IS NOT NULL;

CREATE INDEX chat_messages_said ON chat_messages (workspace_id, conversation_id) WHERE said IS NOT NULL;

-- only sqlite
UPDATE chat_messages SET said = json_extract(content, '$[#-1].text')
WHERE role = 'user' AND kind = 'sent' AND json_extract(content, '$[#-2].text') LIKE '<context>%';

-- only postgresql
UPDATE chat_messages SET said = content::jsonb -> -1 ->> 'text'
WHERE role = 'user' AND kind = 'sent' AND content::jsonb -> -2 ->> 'text' LIKE '<context>%';
