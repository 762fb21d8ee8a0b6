-- Events keep their order; what stands still keeps its reason; and whoever waits looks again, since what would have woken
-- it by the old rules is not known any more.
UPDATE "contractor"."event" SET "place" = "ordered"."place" FROM (
	SELECT "id", nextval('contractor.event_place_seq') AS "place" FROM (SELECT "id" FROM "contractor"."event" ORDER BY "txid", "id") AS "old"
) AS "ordered" WHERE "event"."id" = "ordered"."id";--> statement-breakpoint
UPDATE "contractor"."job" SET
	"reason" = CASE WHEN "state" IN ('paused', 'error', 'aborted') THEN "message" END,
	"vm_bytes" = coalesce(octet_length("vm"::text), 0),
	"wake_at" = CASE WHEN "state" = 'waiting' THEN now() ELSE "wake_at" END
WHERE "outcome" IS NULL;--> statement-breakpoint
ALTER TABLE "contractor"."event" DROP COLUMN "txid";--> statement-breakpoint
ALTER TABLE "contractor"."job" DROP COLUMN "waits_since";