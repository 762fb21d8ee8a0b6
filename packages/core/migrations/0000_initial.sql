CREATE SCHEMA IF NOT EXISTS "contractor";
--> statement-breakpoint
CREATE TYPE "contractor"."blueprint_kind" AS ENUM('structure', 'foundation');--> statement-breakpoint
CREATE TYPE "contractor"."foundation_state" AS ENUM('planned', 'located', 'built');--> statement-breakpoint
CREATE TYPE "contractor"."job_outcome" AS ENUM('completed', 'cancelled');--> statement-breakpoint
CREATE TYPE "contractor"."job_state" AS ENUM('waiting', 'queued', 'paused', 'error', 'aborted', 'done');--> statement-breakpoint
CREATE TYPE "contractor"."structure_state" AS ENUM('planned', 'built');--> statement-breakpoint
CREATE TYPE "contractor"."token_kind" AS ENUM('admin', 'agent');--> statement-breakpoint
CREATE TABLE "contractor"."blueprint" (
	"name" text PRIMARY KEY NOT NULL,
	"kind" "contractor"."blueprint_kind" NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"config_values" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"foundation_types" text[] DEFAULT '{}' NOT NULL,
	"template" jsonb,
	"physical_interface_names" text[] DEFAULT '{}' NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contractor"."blueprint_foundation" (
	"blueprint" text NOT NULL,
	"foundation_blueprint" text NOT NULL,
	CONSTRAINT "blueprint_foundation_blueprint_foundation_blueprint_pk" PRIMARY KEY("blueprint","foundation_blueprint")
);
--> statement-breakpoint
CREATE TABLE "contractor"."blueprint_parent" (
	"blueprint" text NOT NULL,
	"parent" text NOT NULL,
	"position" integer NOT NULL,
	CONSTRAINT "blueprint_parent_blueprint_parent_pk" PRIMARY KEY("blueprint","parent")
);
--> statement-breakpoint
CREATE TABLE "contractor"."blueprint_script" (
	"blueprint" text NOT NULL,
	"name" text NOT NULL,
	"script" text NOT NULL,
	CONSTRAINT "blueprint_script_blueprint_name_pk" PRIMARY KEY("blueprint","name")
);
--> statement-breakpoint
CREATE TABLE "contractor"."event" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "contractor"."event_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"txid" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"type" text NOT NULL,
	"by" text NOT NULL,
	"job" bigint,
	"foundation" text,
	"structure" bigint,
	"data" jsonb DEFAULT '{}'::jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contractor"."foundation" (
	"locator" text PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"site" text NOT NULL,
	"blueprint" text NOT NULL,
	"state" "contractor"."foundation_state" DEFAULT 'planned' NOT NULL,
	"fields" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"id_map" jsonb,
	"located_at" timestamp with time zone,
	"built_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contractor"."job" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "contractor"."job_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"foundation" text,
	"structure" bigint,
	"action" text NOT NULL,
	"program_id" text NOT NULL,
	"state" "contractor"."job_state" DEFAULT 'waiting' NOT NULL,
	"outcome" "contractor"."job_outcome",
	"vm" jsonb,
	"message" text DEFAULT '' NOT NULL,
	"progress" real DEFAULT 0 NOT NULL,
	"wake_at" timestamp with time zone,
	"created_by" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"finished_at" timestamp with time zone,
	CONSTRAINT "job_target" CHECK (num_nonnulls("contractor"."job"."foundation", "contractor"."job"."structure") = 1),
	CONSTRAINT "job_outcome" CHECK (("contractor"."job"."state" = 'done') = ("contractor"."job"."outcome" is not null))
);
--> statement-breakpoint
CREATE TABLE "contractor"."program" (
	"id" text PRIMARY KEY NOT NULL,
	"source" text NOT NULL,
	"compiled" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contractor"."pxe" (
	"name" text PRIMARY KEY NOT NULL,
	"boot_script" text NOT NULL,
	"template" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contractor"."script" (
	"name" text PRIMARY KEY NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"program_id" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contractor"."site" (
	"name" text PRIMARY KEY NOT NULL,
	"parent" text,
	"description" text DEFAULT '' NOT NULL,
	"config_values" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contractor"."structure" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "contractor"."structure_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"hostname" text NOT NULL,
	"site" text NOT NULL,
	"blueprint" text NOT NULL,
	"foundation" text NOT NULL,
	"state" "contractor"."structure_state" DEFAULT 'planned' NOT NULL,
	"config_uuid" uuid DEFAULT gen_random_uuid() NOT NULL,
	"config_values" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"built_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "structure_hostname" UNIQUE("site","hostname"),
	CONSTRAINT "structure_foundation" UNIQUE("foundation"),
	CONSTRAINT "structure_config_uuid" UNIQUE("config_uuid")
);
--> statement-breakpoint
CREATE TABLE "contractor"."task" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "contractor"."task_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"job" bigint NOT NULL,
	"site" text NOT NULL,
	"module" text NOT NULL,
	"function" text NOT NULL,
	"params" jsonb NOT NULL,
	"attempt" integer DEFAULT 1 NOT NULL,
	"claim_token" uuid,
	"agent" text,
	"lease_until" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "task_job" UNIQUE("job")
);
--> statement-breakpoint
CREATE TABLE "contractor"."token" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "contractor"."token_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"kind" "contractor"."token_kind" NOT NULL,
	"hash" text NOT NULL,
	"sites" text[] DEFAULT '{}' NOT NULL,
	"modules" text[] DEFAULT '{}' NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "token_name_unique" UNIQUE("name"),
	CONSTRAINT "token_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
ALTER TABLE "contractor"."blueprint_foundation" ADD CONSTRAINT "blueprint_foundation_blueprint_blueprint_name_fk" FOREIGN KEY ("blueprint") REFERENCES "contractor"."blueprint"("name") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."blueprint_parent" ADD CONSTRAINT "blueprint_parent_blueprint_blueprint_name_fk" FOREIGN KEY ("blueprint") REFERENCES "contractor"."blueprint"("name") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."blueprint_parent" ADD CONSTRAINT "blueprint_parent_parent_blueprint_name_fk" FOREIGN KEY ("parent") REFERENCES "contractor"."blueprint"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."blueprint_script" ADD CONSTRAINT "blueprint_script_blueprint_blueprint_name_fk" FOREIGN KEY ("blueprint") REFERENCES "contractor"."blueprint"("name") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."blueprint_script" ADD CONSTRAINT "blueprint_script_script_script_name_fk" FOREIGN KEY ("script") REFERENCES "contractor"."script"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."foundation" ADD CONSTRAINT "foundation_site_site_name_fk" FOREIGN KEY ("site") REFERENCES "contractor"."site"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."foundation" ADD CONSTRAINT "foundation_blueprint_blueprint_name_fk" FOREIGN KEY ("blueprint") REFERENCES "contractor"."blueprint"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."job" ADD CONSTRAINT "job_foundation_foundation_locator_fk" FOREIGN KEY ("foundation") REFERENCES "contractor"."foundation"("locator") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."job" ADD CONSTRAINT "job_structure_structure_id_fk" FOREIGN KEY ("structure") REFERENCES "contractor"."structure"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contractor"."job" ADD CONSTRAINT "job_program_id_program_id_fk" FOREIGN KEY ("program_id") REFERENCES "contractor"."program"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contractor"."script" ADD CONSTRAINT "script_program_id_program_id_fk" FOREIGN KEY ("program_id") REFERENCES "contractor"."program"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contractor"."site" ADD CONSTRAINT "site_parent_site_name_fk" FOREIGN KEY ("parent") REFERENCES "contractor"."site"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."structure" ADD CONSTRAINT "structure_site_site_name_fk" FOREIGN KEY ("site") REFERENCES "contractor"."site"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."structure" ADD CONSTRAINT "structure_blueprint_blueprint_name_fk" FOREIGN KEY ("blueprint") REFERENCES "contractor"."blueprint"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."structure" ADD CONSTRAINT "structure_foundation_foundation_locator_fk" FOREIGN KEY ("foundation") REFERENCES "contractor"."foundation"("locator") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."task" ADD CONSTRAINT "task_job_job_id_fk" FOREIGN KEY ("job") REFERENCES "contractor"."job"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contractor"."task" ADD CONSTRAINT "task_site_site_name_fk" FOREIGN KEY ("site") REFERENCES "contractor"."site"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
CREATE INDEX "blueprint_parent_parent" ON "contractor"."blueprint_parent" USING btree ("parent");--> statement-breakpoint
CREATE INDEX "blueprint_script_script" ON "contractor"."blueprint_script" USING btree ("script");--> statement-breakpoint
CREATE INDEX "event_order" ON "contractor"."event" USING btree ("txid","id");--> statement-breakpoint
CREATE INDEX "event_job" ON "contractor"."event" USING btree ("job","txid","id");--> statement-breakpoint
CREATE INDEX "foundation_site" ON "contractor"."foundation" USING btree ("site");--> statement-breakpoint
CREATE INDEX "foundation_blueprint" ON "contractor"."foundation" USING btree ("blueprint");--> statement-breakpoint
CREATE UNIQUE INDEX "job_live_foundation" ON "contractor"."job" USING btree ("foundation") WHERE "contractor"."job"."outcome" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "job_live_structure" ON "contractor"."job" USING btree ("structure") WHERE "contractor"."job"."outcome" is null;--> statement-breakpoint
CREATE INDEX "job_due" ON "contractor"."job" USING btree ("wake_at") WHERE "contractor"."job"."wake_at" is not null;--> statement-breakpoint
CREATE INDEX "site_parent" ON "contractor"."site" USING btree ("parent");--> statement-breakpoint
CREATE INDEX "structure_blueprint" ON "contractor"."structure" USING btree ("blueprint");--> statement-breakpoint
CREATE INDEX "task_waiting" ON "contractor"."task" USING btree ("module","site","id") WHERE "contractor"."task"."claim_token" is null;--> statement-breakpoint
CREATE INDEX "task_lease" ON "contractor"."task" USING btree ("lease_until") WHERE "contractor"."task"."lease_until" is not null;