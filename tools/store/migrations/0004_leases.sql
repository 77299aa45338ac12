ALTER TABLE approvals ADD COLUMN lease_holder TEXT;

ALTER TABLE approvals ADD COLUMN lease_until BIGINT;

ALTER TABLE platform_writes ADD COLUMN lease_holder TEXT;

ALTER TABLE platform_writes ADD COLUMN lease_until BIGINT;

-- only postgresql
CREATE UNLOGGED TABLE rate_limits (
    key TEXT NOT NULL,
    hits BIGINT[] NOT NULL,
    admitted BIGINT NOT NULL,
    newest BIGINT NOT NULL,
    PRIMARY KEY (key)
) WITH (fillfactor = 50, toast_tuple_target = 8160);

-- only postgresql
ALTER TABLE rate_limits ALTER COLUMN hits SET STORAGE MAIN;

-- only postgresql
CREATE INDEX rate_limits_by_age ON rate_limits (newest);

-- only postgresql
CREATE OR REPLACE FUNCTION ad_sync_logs_is_append_only() RETURNS trigger LANGUAGE plpgsql AS '
BEGIN
    IF TG_OP = ''UPDATE'' THEN
        OLD.payload := NULL;
        IF NEW IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE ''ad_sync_logs is append-only: only a payload may be purged'' USING ERRCODE = ''integrity_constraint_violation'';
END';

-- only postgresql
CREATE OR REPLACE TRIGGER ad_sync_logs_keeps_rows BEFORE DELETE OR UPDATE ON ad_sync_logs
FOR EACH ROW EXECUTE FUNCTION ad_sync_logs_is_append_only();
