CREATE TYPE "contractor"."dependency_link" AS ENUM('soft', 'hard');--> statement-breakpoint
ALTER TYPE "contractor"."job_outcome" ADD VALUE 'undone';--> statement-breakpoint
CREATE TABLE "contractor"."agent" (
	"name" text PRIMARY KEY NOT NULL,
	"sites" text[] NOT NULL,
	"modules" text[] NOT NULL,
	"seen_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contractor"."complex" (
	"name" text PRIMARY KEY NOT NULL,
	"site" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"built_percentage" integer DEFAULT 90 NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contractor"."complex_member" (
	"complex" text NOT NULL,
	"structure" bigint NOT NULL,
	CONSTRAINT "complex_member_complex_structure_pk" PRIMARY KEY("complex","structure")
);
--> statement-breakpoint
CREATE TABLE "contractor"."dependency" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "contractor"."dependency_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"foundation" text NOT NULL,
	"structure" bigint,
	"dependency" bigint,
	"link" "contractor"."dependency_link" DEFAULT 'soft' NOT NULL,
	"script_structure" bigint NOT NULL,
	"create_script" text,
	"destroy_script" text,
	"state" "contractor"."structure_state" DEFAULT 'planned' NOT NULL,
	"built_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "dependency_on" CHECK (num_nonnulls("contractor"."dependency"."structure", "contractor"."dependency"."dependency") = 1)
);
--> statement-breakpoint
CREATE TABLE "contractor"."step" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "contractor"."step_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"job" bigint NOT NULL,
	"module" text NOT NULL,
	"function" text NOT NULL,
	"end" text NOT NULL,
	"request" jsonb,
	"reply" jsonb,
	"agent" text,
	"attempt" integer DEFAULT 1 NOT NULL,
	"call" jsonb,
	"started_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone NOT NULL,
	"undone_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "contractor"."job" DROP CONSTRAINT "job_target";--> statement-breakpoint
DROP INDEX "contractor"."event_job";--> statement-breakpoint
ALTER TABLE "contractor"."event" ADD COLUMN "dependency" bigint;--> statement-breakpoint
ALTER TABLE "contractor"."foundation" ADD COLUMN "complex" text;--> statement-breakpoint
ALTER TABLE "contractor"."job" ADD COLUMN "dependency" bigint;--> statement-breakpoint
ALTER TABLE "contractor"."job" ADD COLUMN "waits_since" "xid8";--> statement-breakpoint
ALTER TABLE "contractor"."job" ADD COLUMN "undoing" jsonb;--> statement-breakpoint
ALTER TABLE "contractor"."job" ADD COLUMN "cookie" uuid DEFAULT gen_random_uuid() NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."job" ADD COLUMN "signalled_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "contractor"."complex" ADD CONSTRAINT "complex_site_site_name_fk" FOREIGN KEY ("site") REFERENCES "contractor"."site"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."complex_member" ADD CONSTRAINT "complex_member_complex_complex_name_fk" FOREIGN KEY ("complex") REFERENCES "contractor"."complex"("name") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."complex_member" ADD CONSTRAINT "complex_member_structure_structure_id_fk" FOREIGN KEY ("structure") REFERENCES "contractor"."structure"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contractor"."dependency" ADD CONSTRAINT "dependency_foundation_foundation_locator_fk" FOREIGN KEY ("foundation") REFERENCES "contractor"."foundation"("locator") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."dependency" ADD CONSTRAINT "dependency_structure_structure_id_fk" FOREIGN KEY ("structure") REFERENCES "contractor"."structure"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contractor"."dependency" ADD CONSTRAINT "dependency_dependency_dependency_id_fk" FOREIGN KEY ("dependency") REFERENCES "contractor"."dependency"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contractor"."dependency" ADD CONSTRAINT "dependency_script_structure_structure_id_fk" FOREIGN KEY ("script_structure") REFERENCES "contractor"."structure"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contractor"."dependency" ADD CONSTRAINT "dependency_create_script_script_name_fk" FOREIGN KEY ("create_script") REFERENCES "contractor"."script"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."dependency" ADD CONSTRAINT "dependency_destroy_script_script_name_fk" FOREIGN KEY ("destroy_script") REFERENCES "contractor"."script"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
CREATE INDEX "complex_member_structure" ON "contractor"."complex_member" USING btree ("structure");--> statement-breakpoint
CREATE INDEX "dependency_foundation" ON "contractor"."dependency" USING btree ("foundation");--> statement-breakpoint
CREATE INDEX "dependency_structure" ON "contractor"."dependency" USING btree ("structure");--> statement-breakpoint
CREATE INDEX "dependency_dependency" ON "contractor"."dependency" USING btree ("dependency");--> statement-breakpoint
CREATE INDEX "dependency_script_structure" ON "contractor"."dependency" USING btree ("script_structure");--> statement-breakpoint
CREATE INDEX "step_job" ON "contractor"."step" USING btree ("job","id");--> statement-breakpoint
CREATE INDEX "step_ended" ON "contractor"."step" USING btree ("ended_at");--> statement-breakpoint
ALTER TABLE "contractor"."foundation" ADD CONSTRAINT "foundation_complex_complex_name_fk" FOREIGN KEY ("complex") REFERENCES "contractor"."complex"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."job" ADD CONSTRAINT "job_dependency_dependency_id_fk" FOREIGN KEY ("dependency") REFERENCES "contractor"."dependency"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "foundation_complex" ON "contractor"."foundation" USING btree ("complex");--> statement-breakpoint
CREATE UNIQUE INDEX "job_live_dependency" ON "contractor"."job" USING btree ("dependency") WHERE "contractor"."job"."outcome" is null;--> statement-breakpoint
CREATE INDEX "event_job" ON "contractor"."event" USING btree ("job","id");--> statement-breakpoint
ALTER TABLE "contractor"."job" ADD CONSTRAINT "job_target" CHECK (num_nonnulls("contractor"."job"."foundation", "contractor"."job"."structure", "contractor"."job"."dependency") = 1);