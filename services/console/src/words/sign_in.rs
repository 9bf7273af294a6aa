//! Words of signing in.

crate::words::phrases! {
    choose_persona: "Whom do you want to be?", "请选择身份";
    choose_persona_why: "No identity provider is set up, so anybody on this machine may be anybody. With one, people sign in there.", "尚未配置身份提供方，本机上的任何人都可以选择任何身份；配置后，须在身份提供方登录。";
    persona_agent: "Agent", "经办人";
    persona_agent_does: "Works cases: looks into them, decides, plans remedies.", "办理案件：调查、裁定、提出处理方案。";
    persona_supervisor: "Supervisor", "主管";
    persona_supervisor_does: "Answers for the work of agents: approves, assigns, reopens.", "对经办工作负责：审批、派单、重新受理。";
    persona_finance: "Finance", "财务";
    persona_finance_does: "Carries out the tasks of the finance department.", "执行财务部门的任务。";
    persona_admin: "Administrator", "管理员";
    persona_admin_does: "Decides categories, rules, policies, calendars.", "维护类别、规则、策略与日历。";
    persona_complainant: "Complainant", "投诉人";
    persona_complainant_does: "Complains, follows the progress, answers the outcome.", "提交投诉、查询进度、答复处理结果。";
    be_agent: "Be one of the agents", "选择名册中的经办人";
    no_agents: "There are no agents on the roster yet.", "名册中尚无经办人。";
    subject_name: "Another name", "其他用户名";
    sign_in_with_provider: "Sign in", "登录";
    for_complainants: "You want to complain, or to follow a complaint? No sign-in is needed", "要投诉或查询投诉进度？无需登录";
    sign_in_why: "You sign in at your organisation's identity provider and come back here.", "您将前往本单位的身份提供方登录，然后返回此处。";
}
