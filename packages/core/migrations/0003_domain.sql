CREATE TYPE "contractor"."zone_entry_type" AS ENUM('A', 'AAAA', 'CNAME', 'MX', 'SRV', 'TXT', 'CAA', 'NS');--> statement-breakpoint
CREATE TYPE "contractor"."address_kind" AS ENUM('static', 'reserved', 'dynamic');--> statement-breakpoint
CREATE TYPE "contractor"."interface_kind" AS ENUM('real', 'abstract', 'aggregated');--> statement-breakpoint
CREATE TYPE "contractor"."cartographer_state" AS ENUM('unmatched', 'aside', 'matched');--> statement-breakpoint
CREATE TABLE "contractor"."config_change" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "contractor"."config_change_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp with time zone NOT NULL,
	"by" text NOT NULL,
	"site" text,
	"blueprint" text,
	"structure" bigint,
	"key" text NOT NULL,
	"before" jsonb,
	"after" jsonb
);
--> statement-breakpoint
CREATE TABLE "contractor"."zone" (
	"name" text PRIMARY KEY NOT NULL,
	"parent" text,
	"email" text NOT NULL,
	"nameservers" text[] NOT NULL,
	"ttl" integer NOT NULL,
	"refresh" integer NOT NULL,
	"retry" integer NOT NULL,
	"expire" integer NOT NULL,
	"minimum" integer NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contractor"."zone_entry" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "contractor"."zone_entry_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"zone" text NOT NULL,
	"name" text NOT NULL,
	"type" "contractor"."zone_entry_type" NOT NULL,
	"data" jsonb NOT NULL,
	"ttl" integer,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "zone_entry_same" UNIQUE("zone","name","type","data")
);
--> statement-breakpoint
CREATE TABLE "contractor"."zone_serial" (
	"zone" text PRIMARY KEY NOT NULL,
	"serial" bigint NOT NULL,
	"digest" text NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contractor"."address" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "contractor"."address_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"address_block" text NOT NULL,
	"ip" "inet" NOT NULL,
	"kind" "contractor"."address_kind" NOT NULL,
	"structure" bigint,
	"interface" text,
	"alias" integer,
	"pointer" bigint,
	"primary" boolean DEFAULT false NOT NULL,
	"pxe" text,
	"reason" text DEFAULT '' NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "address_ip" UNIQUE("address_block","ip"),
	CONSTRAINT "address_host" CHECK (masklen("contractor"."address"."ip") = case family("contractor"."address"."ip") when 4 then 32 else 128 end),
	CONSTRAINT "address_owner" CHECK (("contractor"."address"."kind" = 'static') = ("contractor"."address"."structure" is not null)),
	CONSTRAINT "address_interface" CHECK ("contractor"."address"."kind" <> 'static' or num_nonnulls("contractor"."address"."interface", "contractor"."address"."pointer") = 1),
	CONSTRAINT "address_primary" CHECK ("contractor"."address"."kind" = 'static' or not "contractor"."address"."primary")
);
--> statement-breakpoint
CREATE TABLE "contractor"."address_block" (
	"name" text PRIMARY KEY NOT NULL,
	"site" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"subnet" "cidr" NOT NULL,
	"gateway" "inet",
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "address_block_gateway" CHECK ("contractor"."address_block"."gateway" << "contractor"."address_block"."subnet")
);
--> statement-breakpoint
CREATE TABLE "contractor"."interface_member" (
	"aggregate" bigint NOT NULL,
	"member" bigint NOT NULL,
	"position" integer NOT NULL,
	CONSTRAINT "interface_member_aggregate_member_pk" PRIMARY KEY("aggregate","member"),
	CONSTRAINT "interface_member_member" UNIQUE("member")
);
--> statement-breakpoint
CREATE TABLE "contractor"."network" (
	"name" text PRIMARY KEY NOT NULL,
	"site" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"mtu" integer DEFAULT 1500 NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contractor"."network_address_block" (
	"network" text NOT NULL,
	"address_block" text NOT NULL,
	"vlan" integer,
	"tagged" boolean DEFAULT false NOT NULL,
	CONSTRAINT "network_address_block_network_address_block_pk" PRIMARY KEY("network","address_block"),
	CONSTRAINT "network_address_block_vlan" CHECK ("contractor"."network_address_block"."vlan" between 1 and 4094)
);
--> statement-breakpoint
CREATE TABLE "contractor"."network_interface" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "contractor"."network_interface_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" "contractor"."interface_kind" NOT NULL,
	"name" text NOT NULL,
	"foundation" text,
	"structure" bigint,
	"network" text,
	"mac" "macaddr",
	"physical_location" text,
	"neighbour" text,
	"provisioning" boolean DEFAULT false NOT NULL,
	"pxe" text,
	"parameters" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "network_interface_of_foundation" UNIQUE("foundation","name"),
	CONSTRAINT "network_interface_of_structure" UNIQUE("structure","name"),
	CONSTRAINT "network_interface_mac" UNIQUE("mac"),
	CONSTRAINT "network_interface_owner" CHECK (case when "contractor"."network_interface"."kind" = 'real' then "contractor"."network_interface"."foundation" is not null and "contractor"."network_interface"."structure" is null
        else "contractor"."network_interface"."foundation" is null and "contractor"."network_interface"."structure" is not null end)
);
--> statement-breakpoint
CREATE TABLE "contractor"."plot" (
	"name" text PRIMARY KEY NOT NULL,
	"parent" text,
	"description" text DEFAULT '' NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contractor"."secret" (
	"name" text PRIMARY KEY NOT NULL,
	"sealed" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "contractor"."cartographer" (
	"identifier" text PRIMARY KEY NOT NULL,
	"state" "contractor"."cartographer_state" DEFAULT 'unmatched' NOT NULL,
	"message" text DEFAULT '' NOT NULL,
	"hardware" jsonb,
	"evidence" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"foundation" text,
	"address" "inet",
	"matched_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "cartographer_foundation" UNIQUE("foundation"),
	CONSTRAINT "cartographer_matched" CHECK (("contractor"."cartographer"."state" = 'matched') = ("contractor"."cartographer"."foundation" is not null))
);
--> statement-breakpoint
ALTER TABLE "contractor"."foundation" ADD COLUMN "plot" text;--> statement-breakpoint
ALTER TABLE "contractor"."foundation" ADD COLUMN "serials" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "contractor"."foundation" ADD COLUMN "bmc_mac" "macaddr";--> statement-breakpoint
ALTER TABLE "contractor"."site" ADD COLUMN "zone" text;--> statement-breakpoint
ALTER TABLE "contractor"."zone" ADD CONSTRAINT "zone_parent_zone_name_fk" FOREIGN KEY ("parent") REFERENCES "contractor"."zone"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."zone_entry" ADD CONSTRAINT "zone_entry_zone_zone_name_fk" FOREIGN KEY ("zone") REFERENCES "contractor"."zone"("name") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."address" ADD CONSTRAINT "address_address_block_address_block_name_fk" FOREIGN KEY ("address_block") REFERENCES "contractor"."address_block"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."address" ADD CONSTRAINT "address_structure_structure_id_fk" FOREIGN KEY ("structure") REFERENCES "contractor"."structure"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contractor"."address" ADD CONSTRAINT "address_pxe_pxe_name_fk" FOREIGN KEY ("pxe") REFERENCES "contractor"."pxe"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."address" ADD CONSTRAINT "address_pointer_address" FOREIGN KEY ("pointer") REFERENCES "contractor"."address"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contractor"."address_block" ADD CONSTRAINT "address_block_site_site_name_fk" FOREIGN KEY ("site") REFERENCES "contractor"."site"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."interface_member" ADD CONSTRAINT "interface_member_aggregate_network_interface_id_fk" FOREIGN KEY ("aggregate") REFERENCES "contractor"."network_interface"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contractor"."interface_member" ADD CONSTRAINT "interface_member_member_network_interface_id_fk" FOREIGN KEY ("member") REFERENCES "contractor"."network_interface"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contractor"."network" ADD CONSTRAINT "network_site_site_name_fk" FOREIGN KEY ("site") REFERENCES "contractor"."site"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."network_address_block" ADD CONSTRAINT "network_address_block_network_network_name_fk" FOREIGN KEY ("network") REFERENCES "contractor"."network"("name") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."network_address_block" ADD CONSTRAINT "network_address_block_address_block_address_block_name_fk" FOREIGN KEY ("address_block") REFERENCES "contractor"."address_block"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."network_interface" ADD CONSTRAINT "network_interface_foundation_foundation_locator_fk" FOREIGN KEY ("foundation") REFERENCES "contractor"."foundation"("locator") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."network_interface" ADD CONSTRAINT "network_interface_structure_structure_id_fk" FOREIGN KEY ("structure") REFERENCES "contractor"."structure"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "contractor"."network_interface" ADD CONSTRAINT "network_interface_network_network_name_fk" FOREIGN KEY ("network") REFERENCES "contractor"."network"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."network_interface" ADD CONSTRAINT "network_interface_pxe_pxe_name_fk" FOREIGN KEY ("pxe") REFERENCES "contractor"."pxe"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."plot" ADD CONSTRAINT "plot_parent_plot_name_fk" FOREIGN KEY ("parent") REFERENCES "contractor"."plot"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."cartographer" ADD CONSTRAINT "cartographer_foundation_foundation_locator_fk" FOREIGN KEY ("foundation") REFERENCES "contractor"."foundation"("locator") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
CREATE INDEX "config_change_site" ON "contractor"."config_change" USING btree ("site","id");--> statement-breakpoint
CREATE INDEX "config_change_blueprint" ON "contractor"."config_change" USING btree ("blueprint","id");--> statement-breakpoint
CREATE INDEX "config_change_structure" ON "contractor"."config_change" USING btree ("structure","id");--> statement-breakpoint
CREATE INDEX "zone_parent" ON "contractor"."zone" USING btree ("parent");--> statement-breakpoint
CREATE UNIQUE INDEX "address_primary_of" ON "contractor"."address" USING btree ("structure") WHERE "contractor"."address"."primary";--> statement-breakpoint
CREATE INDEX "address_structure" ON "contractor"."address" USING btree ("structure");--> statement-breakpoint
CREATE INDEX "address_pointer" ON "contractor"."address" USING btree ("pointer");--> statement-breakpoint
CREATE INDEX "address_by_ip" ON "contractor"."address" USING btree ("ip");--> statement-breakpoint
CREATE INDEX "address_block_site" ON "contractor"."address_block" USING btree ("site");--> statement-breakpoint
CREATE INDEX "network_site" ON "contractor"."network" USING btree ("site");--> statement-breakpoint
CREATE INDEX "network_address_block_block" ON "contractor"."network_address_block" USING btree ("address_block");--> statement-breakpoint
CREATE UNIQUE INDEX "network_interface_provisioning" ON "contractor"."network_interface" USING btree ("foundation") WHERE "contractor"."network_interface"."provisioning";--> statement-breakpoint
CREATE INDEX "network_interface_network" ON "contractor"."network_interface" USING btree ("network");--> statement-breakpoint
CREATE INDEX "network_interface_neighbour" ON "contractor"."network_interface" USING btree ("neighbour");--> statement-breakpoint
CREATE INDEX "network_interface_pxe" ON "contractor"."network_interface" USING btree ("pxe");--> statement-breakpoint
CREATE INDEX "plot_parent" ON "contractor"."plot" USING btree ("parent");--> statement-breakpoint
ALTER TABLE "contractor"."foundation" ADD CONSTRAINT "foundation_plot_plot_name_fk" FOREIGN KEY ("plot") REFERENCES "contractor"."plot"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "contractor"."site" ADD CONSTRAINT "site_zone_zone_name_fk" FOREIGN KEY ("zone") REFERENCES "contractor"."zone"("name") ON DELETE no action ON UPDATE cascade;--> statement-breakpoint
CREATE INDEX "foundation_plot" ON "contractor"."foundation" USING btree ("plot");--> statement-breakpoint
CREATE INDEX "foundation_serials" ON "contractor"."foundation" USING gin ("serials");--> statement-breakpoint
CREATE INDEX "foundation_bmc_mac" ON "contractor"."foundation" USING btree ("bmc_mac");--> statement-breakpoint
CREATE INDEX "site_zone" ON "contractor"."site" USING btree ("zone");
--> statement-breakpoint
-- Equality of a text within a GiST index, without an extension: a range of one value overlaps its equal alone.
CREATE TYPE "contractor"."text_range" AS RANGE (subtype = text);--> statement-breakpoint
ALTER TABLE "contractor"."address_block" ADD CONSTRAINT "address_block_overlap" EXCLUDE USING gist ("contractor"."text_range"("site", "site", '[]') WITH &&, "subnet" inet_ops WITH &&);
