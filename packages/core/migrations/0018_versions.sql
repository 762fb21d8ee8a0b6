ALTER TABLE "contractor"."zone" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."zone_entry" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."event" ADD COLUMN "subject" text;--> statement-breakpoint
ALTER TABLE "contractor"."event" ADD COLUMN "version" integer;--> statement-breakpoint
ALTER TABLE "contractor"."job" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."address" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."address_block" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."network" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."network_interface" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."blueprint" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."complex" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."dependency" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."foundation" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."plot" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."pxe" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."script" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."site" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."structure" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."secret" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."cartographer" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
-- Whoever changes a row, and however, gives it another version: what was read before is known to be old. A change of a key
-- that cascades counts as well. Not of services: their version is that of their configuration, and their leases are renewed;
-- nor of Jobs, which have one with every step: those who write them count themselves.
CREATE FUNCTION "contractor"."count_version"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."version" := OLD."version" + 1;
  RETURN NEW;
END $$;--> statement-breakpoint
CREATE TRIGGER "version" BEFORE UPDATE ON "contractor"."zone" FOR EACH ROW EXECUTE FUNCTION "contractor"."count_version"();--> statement-breakpoint
CREATE TRIGGER "version" BEFORE UPDATE ON "contractor"."zone_entry" FOR EACH ROW EXECUTE FUNCTION "contractor"."count_version"();--> statement-breakpoint
CREATE TRIGGER "version" BEFORE UPDATE ON "contractor"."address" FOR EACH ROW EXECUTE FUNCTION "contractor"."count_version"();--> statement-breakpoint
CREATE TRIGGER "version" BEFORE UPDATE ON "contractor"."address_block" FOR EACH ROW EXECUTE FUNCTION "contractor"."count_version"();--> statement-breakpoint
CREATE TRIGGER "version" BEFORE UPDATE ON "contractor"."network" FOR EACH ROW EXECUTE FUNCTION "contractor"."count_version"();--> statement-breakpoint
CREATE TRIGGER "version" BEFORE UPDATE ON "contractor"."network_interface" FOR EACH ROW EXECUTE FUNCTION "contractor"."count_version"();--> statement-breakpoint
CREATE TRIGGER "version" BEFORE UPDATE ON "contractor"."blueprint" FOR EACH ROW EXECUTE FUNCTION "contractor"."count_version"();--> statement-breakpoint
CREATE TRIGGER "version" BEFORE UPDATE ON "contractor"."complex" FOR EACH ROW EXECUTE FUNCTION "contractor"."count_version"();--> statement-breakpoint
CREATE TRIGGER "version" BEFORE UPDATE ON "contractor"."dependency" FOR EACH ROW EXECUTE FUNCTION "contractor"."count_version"();--> statement-breakpoint
CREATE TRIGGER "version" BEFORE UPDATE ON "contractor"."foundation" FOR EACH ROW EXECUTE FUNCTION "contractor"."count_version"();--> statement-breakpoint
CREATE TRIGGER "version" BEFORE UPDATE ON "contractor"."plot" FOR EACH ROW EXECUTE FUNCTION "contractor"."count_version"();--> statement-breakpoint
CREATE TRIGGER "version" BEFORE UPDATE ON "contractor"."pxe" FOR EACH ROW EXECUTE FUNCTION "contractor"."count_version"();--> statement-breakpoint
CREATE TRIGGER "version" BEFORE UPDATE ON "contractor"."script" FOR EACH ROW EXECUTE FUNCTION "contractor"."count_version"();--> statement-breakpoint
CREATE TRIGGER "version" BEFORE UPDATE ON "contractor"."site" FOR EACH ROW EXECUTE FUNCTION "contractor"."count_version"();--> statement-breakpoint
CREATE TRIGGER "version" BEFORE UPDATE ON "contractor"."structure" FOR EACH ROW EXECUTE FUNCTION "contractor"."count_version"();--> statement-breakpoint
CREATE TRIGGER "version" BEFORE UPDATE ON "contractor"."secret" FOR EACH ROW EXECUTE FUNCTION "contractor"."count_version"();--> statement-breakpoint
CREATE TRIGGER "version" BEFORE UPDATE ON "contractor"."cartographer" FOR EACH ROW EXECUTE FUNCTION "contractor"."count_version"();
