CREATE TABLE "contractor"."service" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "contractor"."service_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"site" text NOT NULL,
	"config" jsonb NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"agent" text,
	"claim_token" uuid,
	"lease_until" timestamp with time zone,
	"trouble" text DEFAULT '' NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "service_name_site" UNIQUE("name","site")
);
--> statement-breakpoint
ALTER TABLE "contractor"."service" ADD CONSTRAINT "service_site_site_name_fk" FOREIGN KEY ("site") REFERENCES "contractor"."site"("name") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
CREATE INDEX "service_site" ON "contractor"."service" USING btree ("site");