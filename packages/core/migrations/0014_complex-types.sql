ALTER TABLE "contractor"."complex" ADD COLUMN "type" text;--> statement-breakpoint
ALTER TABLE "contractor"."complex" ADD COLUMN "fields" jsonb DEFAULT '{}'::jsonb NOT NULL;