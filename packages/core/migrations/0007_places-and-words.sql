CREATE SEQUENCE "contractor"."event_place_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "contractor"."claim_word" (
	"task" bigint NOT NULL,
	"claim_token" uuid NOT NULL,
	"job" bigint NOT NULL,
	"lease_until" timestamp with time zone,
	"arrival" jsonb,
	"look_at" timestamp with time zone NOT NULL,
	CONSTRAINT "claim_word_task_claim_token_pk" PRIMARY KEY("task","claim_token")
);
--> statement-breakpoint
CREATE TABLE "contractor"."engine_process" (
	"id" uuid PRIMARY KEY NOT NULL,
	"seen_at" timestamp with time zone NOT NULL,
	"beat_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "contractor"."wake" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "contractor"."wake_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"foundation" text,
	"structure" bigint,
	"dependency" bigint,
	"look_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
DROP INDEX "contractor"."event_order";--> statement-breakpoint
ALTER TABLE "contractor"."event" ADD COLUMN "place" bigint;--> statement-breakpoint
ALTER TABLE "contractor"."job" ADD COLUMN "reason" text;--> statement-breakpoint
ALTER TABLE "contractor"."job" ADD COLUMN "vm_bytes" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."step" ADD COLUMN "skipped_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "contractor"."task" ADD COLUMN "request" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."task" ADD COLUMN "claim_request" text;--> statement-breakpoint
ALTER TABLE "contractor"."task" ADD COLUMN "revoked_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "claim_word_answer" ON "contractor"."claim_word" USING btree ("look_at") WHERE "contractor"."claim_word"."arrival" is not null;--> statement-breakpoint
CREATE INDEX "wake_look_at" ON "contractor"."wake" USING btree ("look_at");--> statement-breakpoint
CREATE UNIQUE INDEX "event_place" ON "contractor"."event" USING btree ("place") WHERE "contractor"."event"."place" is not null;--> statement-breakpoint
CREATE INDEX "event_unplaced" ON "contractor"."event" USING btree ("id") WHERE "contractor"."event"."place" is null;--> statement-breakpoint
CREATE INDEX "event_at" ON "contractor"."event" USING brin ("at");--> statement-breakpoint
CREATE INDEX "job_foundation" ON "contractor"."job" USING btree ("foundation") WHERE "contractor"."job"."foundation" is not null;--> statement-breakpoint
CREATE INDEX "job_structure" ON "contractor"."job" USING btree ("structure") WHERE "contractor"."job"."structure" is not null;--> statement-breakpoint
CREATE INDEX "job_dependency" ON "contractor"."job" USING btree ("dependency") WHERE "contractor"."job"."dependency" is not null;--> statement-breakpoint
CREATE INDEX "job_finished" ON "contractor"."job" USING btree ("finished_at") WHERE "contractor"."job"."finished_at" is not null;--> statement-breakpoint
CREATE INDEX "step_undoable" ON "contractor"."step" USING btree ("job","id") WHERE "contractor"."step"."call" is not null and "contractor"."step"."undone_at" is null and "contractor"."step"."skipped_at" is null;