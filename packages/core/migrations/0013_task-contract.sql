CREATE TABLE "contractor"."limit_word" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "contractor"."limit_word_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"key" text NOT NULL,
	"look_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contractor"."task_line" (
	"job" bigint NOT NULL,
	"task" bigint NOT NULL,
	"place" integer NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"text" text NOT NULL,
	CONSTRAINT "task_line_task_place_pk" PRIMARY KEY("task","place")
);
--> statement-breakpoint
DROP INDEX "contractor"."task_waiting";--> statement-breakpoint
ALTER TABLE "contractor"."step" ADD COLUMN "task" bigint;--> statement-breakpoint
ALTER TABLE "contractor"."task" ADD COLUMN "timeout_ms" integer DEFAULT 600000 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."task" ADD COLUMN "deadline" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "contractor"."task" ADD COLUMN "progress_from" real DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."task" ADD COLUMN "progress_to" real DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."task" ADD COLUMN "limit_key" text;--> statement-breakpoint
ALTER TABLE "contractor"."task" ADD COLUMN "limit_at_once" integer;--> statement-breakpoint
ALTER TABLE "contractor"."task" ADD COLUMN "limit_spacing_ms" integer;--> statement-breakpoint
ALTER TABLE "contractor"."task" ADD COLUMN "has_turn" boolean DEFAULT true NOT NULL;--> statement-breakpoint
CREATE INDEX "limit_word_look_at" ON "contractor"."limit_word" USING btree ("look_at");--> statement-breakpoint
CREATE INDEX "limit_word_key" ON "contractor"."limit_word" USING btree ("key","look_at");--> statement-breakpoint
CREATE INDEX "task_line_at" ON "contractor"."task_line" USING brin ("at");--> statement-breakpoint
CREATE INDEX "task_limit" ON "contractor"."task" USING btree ("limit_key","id") WHERE "contractor"."task"."limit_key" is not null;--> statement-breakpoint
CREATE INDEX "task_waiting" ON "contractor"."task" USING btree ("module","site","id") WHERE "contractor"."task"."claim_token" is null and "contractor"."task"."has_turn";