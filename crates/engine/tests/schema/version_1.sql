CREATE TABLE IF NOT EXISTS sluice_schema (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        version INTEGER NOT NULL)
;;
CREATE TABLE IF NOT EXISTS queue (
        flow TEXT NOT NULL,
        id TEXT NOT NULL,
        hint INTEGER NOT NULL,
        version INTEGER,
        state TEXT NOT NULL CHECK (state IN ('ready', 'waiting', 'dead')),
        due INTEGER NOT NULL,
        hinted INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        lease INTEGER,
        lease_until INTEGER NOT NULL,
        waits_on TEXT,
        waiting_since INTEGER,
        confirm_at INTEGER,
        forced INTEGER NOT NULL DEFAULT 0,
        fault TEXT,
        outcome TEXT,
        why TEXT,
        target TEXT,
        cause TEXT,
        PRIMARY KEY (flow, id)) WITHOUT ROWID
;;
CREATE INDEX IF NOT EXISTS queue_due ON queue (flow, state, due)
;;
CREATE INDEX IF NOT EXISTS queue_leased ON queue (flow, lease_until) WHERE lease IS NOT NULL
;;
CREATE INDEX IF NOT EXISTS queue_waits ON queue (waits_on) WHERE waits_on IS NOT NULL
;;
CREATE TABLE IF NOT EXISTS lease (
        name TEXT PRIMARY KEY,
        token INTEGER NOT NULL,
        until INTEGER NOT NULL) WITHOUT ROWID
;;
CREATE TABLE IF NOT EXISTS run (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        flow TEXT NOT NULL,
        started INTEGER NOT NULL,
        finished INTEGER,
        report TEXT)
;;
CREATE TABLE IF NOT EXISTS outcome (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        flow TEXT NOT NULL,
        id TEXT NOT NULL,
        at INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        why TEXT,
        target TEXT,
        cause TEXT)
;;
CREATE INDEX IF NOT EXISTS outcome_id ON outcome (flow, id, seq)
;;
CREATE TRIGGER IF NOT EXISTS settled AFTER UPDATE OF outcome ON queue WHEN NEW.outcome IS NOT NULL
     BEGIN
        INSERT INTO outcome (flow, id, at, outcome, why, target, cause)
            VALUES (NEW.flow, NEW.id, NEW.due, NEW.outcome, NEW.why, NEW.target, NEW.cause);
        DELETE FROM queue WHERE flow = NEW.flow AND id = NEW.id
            AND hint = 0 AND confirm_at IS NULL AND NEW.outcome <> 'dead';
        UPDATE queue SET outcome = NULL, due = iif(hint = 0 AND NEW.outcome <> 'dead', confirm_at, due)
            WHERE flow = NEW.flow AND id = NEW.id;
     END
;;
INSERT INTO sluice_schema (one, version) VALUES (1, 1)
;;
INSERT INTO queue (flow, id, hint, state, due, hinted, attempts, lease_until, fault, why)
    VALUES ('deal-to-order', 'D1', 7, 'dead', 1, 1, 3, 0, '{"code":"MAPPING_FIELDS"}', 'MAPPING_FIELDS'),
        ('deal-to-order', 'D2', 8, 'ready', 1, 1, 0, 0, NULL, NULL),
        ('deal-to-order', 'D3', 9, 'waiting', 1, 1, 0, 0, '{"code":"REFERENCE_MISSING"}', NULL)
;;
INSERT INTO outcome (flow, id, at, outcome, target)
    VALUES ('deal-to-order', 'D7', 1, 'created', 'T7'), ('deal-to-order', 'D8', 2, 'updated', 'T7'),
        ('deal-to-order', 'D9', 3, 'skipped', NULL)
