ALTER TABLE "contractor"."job" ADD COLUMN "waits_answered" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."job" ADD COLUMN "signals" jsonb DEFAULT '{}'::jsonb NOT NULL;