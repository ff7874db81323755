fn main(){
 let now: jiff::Timestamp = "2026-11-22T20:00:00Z".parse().unwrap();
 let w = sandbox::company::world(7, sandbox::salesforce::Settings::new(7), Default::default(), now).unwrap();
 for (v,k) in [("salesforce","Account"),("salesforce","Opportunity"),("salesforce","Product2"),("netsuite","subsidiary"),("netsuite","currency"),("netsuite","term"),("netsuite","inventoryItem")] {
  let r = w.named(v).unwrap().records(k).unwrap();
  println!("{v} {k} {}\n{}", r.len(), serde_json::to_string_pretty(&r[0]).unwrap());
 }
 println!("{:?}", w.named("netsuite").unwrap().kinds());
 println!("{:?}", w.named("salesforce").unwrap().kinds());
 for s in 0..4u64 { let w = sandbox::company::world(s, sandbox::salesforce::Settings::new(s), Default::default(), now).unwrap();
  for k in ["subsidiary","currency","term"] { for r in w.named("netsuite").unwrap().records(k).unwrap() { println!("{s} {k} {} {}", r["id"], r["name"]); } } }
}
